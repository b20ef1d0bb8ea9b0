// libjpeg reports errors by `longjmp`, which Swift cannot call across. Every call that can fail
// stands here behind a `setjmp`, in a function that returns 1 for done and 0 for failed, with
// libjpeg's message kept in the reader. No Swift code runs between a `setjmp` and its `longjmp`.
#ifndef CJPEG_SHIM_H
#define CJPEG_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>

// A function that calls `setjmp` must keep a frame of its own.
#define CJPEG_GUARDED static inline __attribute__((noinline))

// A progressive file may repeat its scans without end, each of them as large as the picture.
#define CJPEG_MOST_SCANS 200

typedef struct {
  uint32_t width, height;
  uint32_t channels;  // of what is read: 1 grey, 3 RGB, 4 CMYK
  int inverted;       // whether CMYK is stored as 255 minus the ink, as Adobe's programs do
} cjpeg_header;

typedef struct {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
} cjpeg_reader;

static inline void cjpeg_fail(j_common_ptr info) {
  cjpeg_reader *reader = (cjpeg_reader *)info->client_data;
  info->err->format_message(info, reader->message);
  longjmp(reader->escape, 1);
}

// Warnings are about what can be read all the same, but for those that pixels are lost by.
static inline void cjpeg_warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      cjpeg_fail(info);
  }
}

static inline void cjpeg_keep_silent(j_common_ptr info) { (void)info; }
static inline void cjpeg_do_nothing(j_decompress_ptr info) { (void)info; }

static inline boolean cjpeg_end_early(j_decompress_ptr info) {
  ERREXIT(info, JERR_INPUT_EOF);
  return FALSE;
}

static inline void cjpeg_skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if ((size_t)count > info->src->bytes_in_buffer) cjpeg_end_early(info);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= (size_t)count;
}

static inline void cjpeg_watch(j_common_ptr info) {
  if (((j_decompress_ptr)info)->input_scan_number > CJPEG_MOST_SCANS) {
    cjpeg_reader *reader = (cjpeg_reader *)info->client_data;
    strcpy(reader->message, "it has more scans than a picture takes");
    longjmp(reader->escape, 1);
  }
}

static inline void cjpeg_reader_free(cjpeg_reader *reader) {
  if (!reader) return;
  jpeg_destroy_decompress(&reader->info);
  free(reader);
}

// A reader over `count` bytes, which must outlive it; NULL where memory is out.
CJPEG_GUARDED cjpeg_reader *cjpeg_reader_new(const uint8_t *bytes, size_t count) {
  cjpeg_reader *reader = (cjpeg_reader *)calloc(1, sizeof(cjpeg_reader));
  if (!reader) return NULL;
  reader->info.err = jpeg_std_error(&reader->errors);
  reader->errors.error_exit = cjpeg_fail;
  reader->errors.emit_message = cjpeg_warn;
  reader->errors.output_message = cjpeg_keep_silent;
  reader->info.client_data = reader;
  if (setjmp(reader->escape)) {
    cjpeg_reader_free(reader);
    return NULL;
  }
  jpeg_create_decompress(&reader->info);
  reader->source.next_input_byte = bytes;
  reader->source.bytes_in_buffer = count;
  reader->source.init_source = cjpeg_do_nothing;
  reader->source.fill_input_buffer = cjpeg_end_early;
  reader->source.skip_input_data = cjpeg_skip;
  reader->source.resync_to_restart = jpeg_resync_to_restart;
  reader->source.term_source = cjpeg_do_nothing;
  reader->info.src = &reader->source;
  reader->progress.progress_monitor = cjpeg_watch;
  reader->info.progress = &reader->progress;
  return reader;
}

static inline const char *cjpeg_reader_message(const cjpeg_reader *reader) {
  return reader->message;
}

// Reads everything before the pixels and chooses what they are read as.
CJPEG_GUARDED int cjpeg_reader_header(cjpeg_reader *reader, cjpeg_header *header) {
  struct jpeg_decompress_struct *info = &reader->info;
  if (setjmp(reader->escape)) return 0;
  jpeg_save_markers(info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(info, TRUE);
  header->width = info->image_width;
  header->height = info->image_height;
  header->inverted = info->saw_Adobe_marker;
  if (info->num_components == 1) {
    info->out_color_space = JCS_GRAYSCALE;
    header->channels = 1;
  } else if (info->num_components == 4) {
    info->out_color_space = JCS_CMYK;
    header->channels = 4;
  } else {
    info->out_color_space = JCS_RGB;
    header->channels = 3;
  }
  info->dct_method = JDCT_ISLOW;
  return 1;
}

// The bytes of the file's EXIF block from its TIFF header on; NULL where there is none.
static inline const uint8_t *cjpeg_reader_exif(const cjpeg_reader *reader, size_t *count) {
  for (jpeg_saved_marker_ptr m = reader->info.marker_list; m; m = m->next) {
    if (m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0) {
      *count = m->data_length - 6;
      return m->data + 6;
    }
  }
  return NULL;
}

// Reads all rows into `out`, which holds `height * width * channels` bytes.
CJPEG_GUARDED int cjpeg_reader_pixels(cjpeg_reader *reader, uint8_t *out, size_t size) {
  struct jpeg_decompress_struct *info = &reader->info;
  if (setjmp(reader->escape)) return 0;
  jpeg_start_decompress(info);
  size_t row_bytes = (size_t)info->output_width * (size_t)info->output_components;
  if (size != row_bytes * info->output_height) ERREXIT(info, JERR_BAD_LENGTH);
  while (info->output_scanline < info->output_height) {
    JSAMPROW row = out + row_bytes * info->output_scanline;
    jpeg_read_scanlines(info, &row, 1);
  }
  jpeg_finish_decompress(info);
  return 1;
}

#endif
