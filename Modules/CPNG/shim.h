// libpng reports errors by `longjmp`, which Swift cannot call across. Every call that can fail
// stands here behind a `setjmp`, in a function that returns 1 for done and 0 for failed, with
// libpng's message kept in the reader or writer. No Swift code runs between a `setjmp` and its
// `longjmp`.
#ifndef CPNG_SHIM_H
#define CPNG_SHIM_H

#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// A function that calls `setjmp` must keep a frame of its own.
#define CPNG_GUARDED static inline __attribute__((noinline))

#define CPNG_MESSAGE_SIZE 256

static inline void cpng_keep_message(char *message, const char *text) {
  strncpy(message, text, CPNG_MESSAGE_SIZE - 1);
  message[CPNG_MESSAGE_SIZE - 1] = 0;
}

// libpng's error pointer is always the `message` of the reader or writer.
static inline void cpng_fail(png_structp png, png_const_charp text) {
  cpng_keep_message((char *)png_get_error_ptr(png), text);
  png_longjmp(png, 1);
}

// Warnings are about things that do not touch the pixels (colour profiles, times, damaged extras).
static inline void cpng_ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

// MARK: Reading

typedef struct {
  uint32_t width, height;
  uint32_t bit_depth;
  size_t stored_row_bytes;  // of the file's own format, without the filter byte
} cpng_header;

typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count, offset;
  uint8_t **rows;
  png_textp texts;
  int text_count;
  char message[CPNG_MESSAGE_SIZE];
} cpng_reader;

static inline void cpng_take_bytes(png_structp png, png_bytep out, size_t count) {
  cpng_reader *reader = (cpng_reader *)png_get_io_ptr(png);
  if (count > reader->count - reader->offset) png_error(png, "the file ends early");
  memcpy(out, reader->bytes + reader->offset, count);
  reader->offset += count;
}

static inline void cpng_reader_free(cpng_reader *reader) {
  if (!reader) return;
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader->rows);
  free(reader);
}

// A reader over `count` bytes, which must outlive it; NULL where memory is out.
static inline cpng_reader *cpng_reader_new(const uint8_t *bytes, size_t count) {
  cpng_reader *reader = (cpng_reader *)calloc(1, sizeof(cpng_reader));
  if (!reader) return NULL;
  reader->bytes = bytes;
  reader->count = count;
  reader->png = png_create_read_struct(
      PNG_LIBPNG_VER_STRING, reader->message, cpng_fail, cpng_ignore_warning);
  if (reader->png) reader->info = png_create_info_struct(reader->png);
  if (!reader->info) {
    cpng_reader_free(reader);
    return NULL;
  }
  png_set_read_fn(reader->png, reader, cpng_take_bytes);
  return reader;
}

static inline const char *cpng_reader_message(const cpng_reader *reader) {
  return reader->message;
}

// Reads everything before the pixels.
CPNG_GUARDED int cpng_reader_header(
    cpng_reader *reader, uint32_t maximum_width, uint32_t maximum_height, cpng_header *header) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  png_set_user_limits(reader->png, maximum_width, maximum_height);
  png_set_chunk_malloc_max(reader->png, 8000000);
  png_read_info(reader->png, reader->info);
  header->width = png_get_image_width(reader->png, reader->info);
  header->height = png_get_image_height(reader->png, reader->info);
  header->bit_depth = png_get_bit_depth(reader->png, reader->info);
  header->stored_row_bytes = png_get_rowbytes(reader->png, reader->info);
  return 1;
}

// Asks for samples of 8 bits (`deep` 0; 16 bits become round(v / 257)) or of 16 in the machine's
// byte order (`deep` 1; 8 bits become v * 257); palettes become RGB and transparent colours an
// alpha channel.
CPNG_GUARDED int cpng_reader_expand(cpng_reader *reader, int deep, uint32_t *channels) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  png_set_expand(reader->png);
  if (deep) {
    png_set_expand_16(reader->png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    png_set_swap(reader->png);
#endif
  } else {
    png_set_scale_16(reader->png);
  }
  png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);
  *channels = png_get_channels(reader->png, reader->info);
  return 1;
}

// Reads all rows into `out`, which holds `size` bytes, and everything after the pixels.
CPNG_GUARDED int cpng_reader_pixels(cpng_reader *reader, void *out, size_t size) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  size_t height = png_get_image_height(reader->png, reader->info);
  size_t row_bytes = png_get_rowbytes(reader->png, reader->info);
  if (row_bytes == 0 || size % row_bytes != 0 || size / row_bytes != height)
    png_error(reader->png, "the pixel buffer has another size than the image");
  reader->rows = (uint8_t **)calloc(height, sizeof(uint8_t *));
  if (!reader->rows) png_error(reader->png, "out of memory");
  for (size_t y = 0; y < height; y++) reader->rows[y] = (uint8_t *)out + y * row_bytes;
  png_read_image(reader->png, reader->rows);
  png_read_end(reader->png, reader->info);
  reader->text_count = png_get_text(reader->png, reader->info, &reader->texts, NULL);
  return 1;
}

// The file's EXIF block, once the pixels were read; NULL where there is none.
CPNG_GUARDED const uint8_t *cpng_reader_exif(cpng_reader *reader, size_t *count) {
  if (setjmp(png_jmpbuf(reader->png))) return NULL;
#ifdef PNG_eXIf_SUPPORTED
  png_uint_32 length = 0;
  png_bytep bytes = NULL;
  if (png_get_eXIf_1(reader->png, reader->info, &length, &bytes) && bytes) {
    *count = length;
    return bytes;
  }
#endif
  return NULL;
}

// MARK: Writing

typedef struct {
  png_structp png;
  png_infop info;
  uint8_t *bytes;
  size_t count, capacity;
  char message[CPNG_MESSAGE_SIZE];
} cpng_writer;

static inline void cpng_put_bytes(png_structp png, png_bytep in, size_t count) {
  cpng_writer *writer = (cpng_writer *)png_get_io_ptr(png);
  if (count > writer->capacity - writer->count) {
    size_t capacity = 2 * writer->capacity + count + 4096;
    uint8_t *bytes = (uint8_t *)realloc(writer->bytes, capacity);
    if (!bytes) png_error(png, "out of memory");
    writer->bytes = bytes;
    writer->capacity = capacity;
  }
  memcpy(writer->bytes + writer->count, in, count);
  writer->count += count;
}

static inline void cpng_flush_nothing(png_structp png) { (void)png; }

static inline void cpng_writer_free(cpng_writer *writer) {
  if (!writer) return;
  png_destroy_write_struct(&writer->png, &writer->info);
  free(writer->bytes);
  free(writer);
}

// A writer into memory of its own; NULL where memory is out.
static inline cpng_writer *cpng_writer_new(void) {
  cpng_writer *writer = (cpng_writer *)calloc(1, sizeof(cpng_writer));
  if (!writer) return NULL;
  writer->png = png_create_write_struct(
      PNG_LIBPNG_VER_STRING, writer->message, cpng_fail, cpng_ignore_warning);
  if (writer->png) writer->info = png_create_info_struct(writer->png);
  if (!writer->info) {
    cpng_writer_free(writer);
    return NULL;
  }
  png_set_write_fn(writer->png, writer, cpng_put_bytes, cpng_flush_nothing);
  return writer;
}

static inline const char *cpng_writer_message(const cpng_writer *writer) {
  return writer->message;
}

// One text chunk; `compression` is one of libpng's PNG_TEXT_COMPRESSION_* and
// PNG_ITXT_COMPRESSION_*.
CPNG_GUARDED int cpng_writer_text(
    cpng_writer *writer, const char *keyword, const char *text, int compression) {
  if (setjmp(png_jmpbuf(writer->png))) return 0;
  char none[1] = {0};
  png_text chunk;
  memset(&chunk, 0, sizeof chunk);
  chunk.compression = compression;
  chunk.key = (char *)keyword;
  chunk.text = (char *)text;
  chunk.text_length = strlen(text);
  chunk.lang = none;
  chunk.lang_key = none;
  png_set_text(writer->png, writer->info, &chunk, 1);
  return 1;
}

// Writes the whole image: 8-bit samples, 1 to 4 interleaved channels, row after row.
CPNG_GUARDED int cpng_writer_pixels(
    cpng_writer *writer, const uint8_t *samples, uint32_t width, uint32_t height,
    uint32_t channels) {
  static const int color_types[4] = {
      PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  if (setjmp(png_jmpbuf(writer->png))) return 0;
  if (channels < 1 || channels > 4) png_error(writer->png, "an image has 1 to 4 channels");
  png_set_user_limits(writer->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(
      writer->png, writer->info, width, height, 8, color_types[channels - 1], PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer->png, writer->info);
  for (uint32_t y = 0; y < height; y++)
    png_write_row(writer->png, samples + (size_t)y * width * channels);
  png_write_end(writer->png, writer->info);
  return 1;
}

#endif
