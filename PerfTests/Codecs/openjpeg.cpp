// OpenJPEG's side of `codecs`: frames of one component with up to 16 bits, lossless JPEG 2000 in RPCL order, five levels, blocks of 64 x 64.
#include <openjpeg.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

struct Memory {
    uint8_t* data;
    size_t length, position;
};

static OPJ_SIZE_T read_memory(void* target, OPJ_SIZE_T count, void* user) {
    Memory* memory = (Memory*)user;
    size_t some = std::min((size_t)count, memory->length - memory->position);
    if (some == 0) return (OPJ_SIZE_T)-1;
    std::memcpy(target, memory->data + memory->position, some);
    memory->position += some;
    return some;
}

static OPJ_SIZE_T write_memory(void* source, OPJ_SIZE_T count, void* user) {
    Memory* memory = (Memory*)user;
    if (memory->length - memory->position < count) return (OPJ_SIZE_T)-1;
    std::memcpy(memory->data + memory->position, source, count);
    memory->position += count;
    return count;
}

static OPJ_OFF_T skip_memory(OPJ_OFF_T count, void* user) {
    ((Memory*)user)->position += count;
    return count;
}

static OPJ_BOOL seek_memory(OPJ_OFF_T to, void* user) {
    ((Memory*)user)->position = to;
    return OPJ_TRUE;
}

static opj_stream_t* stream_of(Memory* memory, bool is_input) {
    opj_stream_t* stream = opj_stream_default_create(is_input);
    opj_stream_set_user_data(stream, memory, nullptr);
    if (is_input) opj_stream_set_user_data_length(stream, memory->length);
    opj_stream_set_read_function(stream, read_memory);
    opj_stream_set_write_function(stream, write_memory);
    opj_stream_set_skip_function(stream, skip_memory);
    opj_stream_set_seek_function(stream, seek_memory);
    return stream;
}

// Both return the bytes written, or -1.
extern "C" long openjpeg_encode(const int16_t* pixels, int width, int height, int, int bits, int is_signed, uint8_t* out, long capacity) {
    opj_cparameters_t parameters;
    opj_set_default_encoder_parameters(&parameters);
    parameters.tcp_numlayers = 1;
    parameters.cp_disto_alloc = 1;
    parameters.prog_order = OPJ_RPCL;
    opj_image_cmptparm_t component{};
    component.dx = component.dy = 1;
    component.w = width;
    component.h = height;
    component.prec = bits;
    component.sgnd = is_signed;
    opj_image_t* image = opj_image_create(1, &component, OPJ_CLRSPC_GRAY);
    image->x1 = width;
    image->y1 = height;
    for (long i = 0; i < (long)width * height; i++) image->comps[0].data[i] = is_signed ? pixels[i] : (uint16_t)pixels[i];
    opj_codec_t* codec = opj_create_compress(OPJ_CODEC_J2K);
    opj_setup_encoder(codec, &parameters, image);
    Memory memory{out, (size_t)capacity, 0};
    opj_stream_t* stream = stream_of(&memory, false);
    bool done = opj_start_compress(codec, image, stream) && opj_encode(codec, stream) && opj_end_compress(codec, stream);
    opj_stream_destroy(stream);
    opj_destroy_codec(codec);
    opj_image_destroy(image);
    return done ? (long)memory.position : -1;
}

extern "C" long openjpeg_decode(const uint8_t* in, long length, int skip, int16_t* pixels, long capacity) {
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    parameters.cp_reduce = skip;
    opj_codec_t* codec = opj_create_decompress(OPJ_CODEC_J2K);
    opj_setup_decoder(codec, &parameters);
    Memory memory{(uint8_t*)in, (size_t)length, 0};
    opj_stream_t* stream = stream_of(&memory, true);
    opj_image_t* image = nullptr;
    long written = -1;
    if (opj_read_header(stream, codec, &image) && opj_decode(codec, stream, image)) {
        long count = (long)image->comps[0].w * image->comps[0].h;
        if (2 * count <= capacity) {
            for (long i = 0; i < count; i++) pixels[i] = (int16_t)image->comps[0].data[i];
            written = 2 * count;
        }
    }
    opj_stream_destroy(stream);
    opj_destroy_codec(codec);
    if (image) opj_image_destroy(image);
    return written;
}
