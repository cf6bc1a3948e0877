// OpenJPH's side of `codecs`: frames of one component with up to 16 bits, lossless HTJ2K in RPCL order, five levels, blocks of 64 x 64.
#include <openjph/ojph_arch.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_params.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_message.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

// Both return the bytes written, or -1.
extern "C" long openjph_encode(const int16_t* pixels, int width, int height, int, int bits, int is_signed, uint8_t* out, long capacity) {
    try {
        ojph::codestream stream;
        ojph::param_siz siz = stream.access_siz();
        siz.set_image_extent(ojph::point(width, height));
        siz.set_num_components(1);
        siz.set_component(0, ojph::point(1, 1), bits, is_signed != 0);
        ojph::param_cod cod = stream.access_cod();
        cod.set_num_decomposition(5);
        cod.set_block_dims(64, 64);
        cod.set_progression_order("RPCL");
        cod.set_color_transform(false);
        cod.set_reversible(true);
        stream.set_planar(true);
        ojph::mem_outfile file;
        file.open((size_t)width * height * 2);
        stream.write_headers(&file);
        ojph::ui32 component;
        ojph::line_buf* line = stream.exchange(NULL, component);
        for (int y = 0; y < height; y++) {
            const int16_t* row = pixels + (size_t)y * width;
            if (is_signed) for (int x = 0; x < width; x++) line->i32[x] = row[x];
            else for (int x = 0; x < width; x++) line->i32[x] = (uint16_t)row[x];
            line = stream.exchange(line, component);
        }
        stream.flush();
        long length = file.tell();
        if (length > capacity) length = -1;
        else std::memcpy(out, file.get_data(), length);
        stream.close();
        return length;
    } catch (...) {
        return -1;
    }
}

extern "C" long openjph_decode(const uint8_t* in, long length, int skip, int16_t* pixels, long capacity) {
    try {
        ojph::mem_infile file;
        file.open(in, length);
        ojph::codestream stream;
        stream.read_headers(&file);
        stream.restrict_input_resolution(skip, skip);
        stream.set_planar(true);
        stream.create();
        ojph::param_siz siz = stream.access_siz();
        int width = siz.get_recon_width(0), height = siz.get_recon_height(0);
        if ((long)width * height * 2 > capacity) return -1;
        ojph::ui32 component;
        for (int y = 0; y < height; y++) {
            ojph::line_buf* line = stream.pull(component);
            int16_t* row = pixels + (size_t)y * width;
            for (int x = 0; x < width; x++) row[x] = (int16_t)line->i32[x];
        }
        stream.close();
        return (long)width * height * 2;
    } catch (...) {
        return -1;
    }
}
