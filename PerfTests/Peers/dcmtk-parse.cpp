// DCMTK's side of `versus parse`: headers up to the pixels, the same with DICOM JSON; one thread, it times itself.
// build: g++ -O2 -std=c++17 dcmtk-parse.cpp -o dcmtk-parse -ldcmdata -lofstd -loflog
// usage: dcmtk-parse ROUNDS FILE...
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcjson.h>
#include <dcmtk/dcmdata/dctk.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>

static double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static bool load(DcmFileFormat& file, const char* path) {
    return file.loadFileUntilTag(path, EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData).good();
}

int main(int count, char** arguments) {
    if (count < 3) return 2;
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    for (int round = 0; round < std::atoi(arguments[1]); round++) {
        int read = 0, written = 0;
        unsigned long elements = 0, bytes = 0;
        double started = now();
        for (int i = 2; i < count; i++) {
            DcmFileFormat file;
            if (load(file, arguments[i])) { read++; elements += file.getDataset()->card(); }
        }
        const double headers = now() - started;
        started = now();
        for (int i = 2; i < count; i++) {
            DcmFileFormat file;
            if (!load(file, arguments[i])) continue;
            std::ostringstream out;
            DcmJsonFormatCompact format;
            file.getDataset()->writeJson(out, format);
            written++;
            bytes += out.str().size();
        }
        const double json = now() - started;
        if (read == 0 || written == 0) return 1;
        std::printf("dcmtk until PixelData: %.0f files/s (%lu elements each); until PixelData + JSON: %.0f files/s (%lu bytes each)\n",
                    read / headers, elements / read, written / json, bytes / written);
    }
}
