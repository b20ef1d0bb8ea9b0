import CPNG

/// What a PNG file holds, expanded to grey or RGB with or without alpha, in samples of 8 or 16
/// bits.
struct DecodedPNG<Sample: FixedWidthInteger & UnsignedInteger> {
  let width: Int
  let height: Int
  let channels: Int
  let samples: [Sample]
  let text: [String: String]
  let exif: EXIF
}

/// Reads PNG files from memory through libpng.
struct PNGDecoder {
  /// What errors call the file.
  let path: String
  let limits: PictureLimits

  /// Deflate cannot shrink more than 1032 to 1: a file that is shorter cannot hold what its header
  /// says.
  private static let largestCompression = 1032

  func decode<Sample: FixedWidthInteger & UnsignedInteger>(
    _ bytes: [UInt8], as sample: Sample.Type
  ) throws(ImageError) -> DecodedPNG<Sample> {
    try checkHeader(bytes)
    try checkChunks(bytes)
    // A closure's typed throw does not pass through `withUnsafeBufferPointer` of every toolchain.
    let result = bytes.withUnsafeBufferPointer { buffer -> Result<DecodedPNG<Sample>, ImageError> in
      guard let start = buffer.baseAddress, let reader = cpng_reader_new(start, buffer.count) else {
        return .failure(.damaged(path: path, format: .png, reason: "out of memory"))
      }
      defer { cpng_reader_free(reader) }
      return Result { () throws(ImageError) in try read(reader, fileSize: buffer.count) }
    }
    return try result.get()
  }

  /// Checks signature and size before libpng sees the file.
  private func checkHeader(_ bytes: [UInt8]) throws(ImageError) {
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    guard bytes.starts(with: signature) else { throw .notPNG(path: path) }
    let header = bytes.dropFirst(8).prefix(25)
    guard header.count == 25 else {
      throw .damaged(
        path: path, format: .png, reason: "the file ends early, after \(bytes.count) bytes")
    }
    guard header.dropFirst(4).prefix(4).elementsEqual("IHDR".utf8) else {
      throw .damaged(path: path, format: .png, reason: "its first chunk is not IHDR")
    }
    let width = header.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    let height = header.dropFirst(12).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    guard width > 0, height > 0 else {
      throw .damaged(path: path, format: .png, reason: "it says it is \(width) x \(height) pixels")
    }
    guard width <= limits.maximumSide, height <= limits.maximumSide,
      width * height <= limits.maximumPixels
    else { throw .tooLarge(path: path, width: width, height: height, limits: limits) }
  }

  /// Checks that every chunk up to the last lies within the file: libpng takes memory for as much as
  /// a chunk says that it holds.
  private func checkChunks(_ bytes: [UInt8]) throws(ImageError) {
    var start = 8
    while start + 12 <= bytes.count {
      let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
      let name = bytes[start + 4..<start + 8]
      guard length <= bytes.count - start - 12 else {
        throw .damaged(
          path: path, format: .png,
          reason: "the file ends early: the chunk at byte \(start) says it has \(length) bytes, "
            + "\(bytes.count - start - 12) are left")
      }
      if name.elementsEqual("IEND".utf8) { return }
      start += 12 + length
    }
    throw .damaged(path: path, format: .png, reason: "the file ends early: it has no IEND chunk")
  }

  private func read<Sample: FixedWidthInteger & UnsignedInteger>(
    _ reader: UnsafeMutablePointer<cpng_reader>, fileSize: Int
  ) throws(ImageError) -> DecodedPNG<Sample> {
    var header = cpng_header()
    let side = UInt32(limits.maximumSide)
    try check(cpng_reader_header(reader, side, side, &header), reader)
    let width = Int(header.width)
    let height = Int(header.height)
    let stored = Int(header.stored_row_bytes) * height
    guard stored / Self.largestCompression <= fileSize else {
      throw .damaged(
        path: path, format: .png,
        reason: "\(fileSize) bytes cannot hold the \(width) x \(height) pixels of its header")
    }
    var channelCount: UInt32 = 0
    try check(cpng_reader_expand(reader, Sample.bitWidth == 16 ? 1 : 0, &channelCount), reader)
    let channels = Int(channelCount)
    let count = width * height * channels
    var status: Int32 = 0
    let samples = [Sample](unsafeUninitializedCapacity: count) { out, initialized in
      // Untouched until rows come, so a file that lies about its size takes no memory; libpng
      // writes every sample, or fails.
      status = cpng_reader_pixels(reader, out.baseAddress, count * MemoryLayout<Sample>.stride)
      initialized = status == 0 ? 0 : count
    }
    try check(status, reader)
    return DecodedPNG(
      width: width, height: height, channels: channels, samples: samples, text: texts(of: reader),
      exif: exif(of: reader))
  }

  private func exif(of reader: UnsafeMutablePointer<cpng_reader>) -> EXIF {
    var count = 0
    guard let bytes = cpng_reader_exif(reader, &count) else { return EXIF() }
    return EXIF(Array(UnsafeBufferPointer(start: bytes, count: count)))
  }

  private func check(
    _ status: Int32, _ reader: UnsafeMutablePointer<cpng_reader>
  ) throws(ImageError) {
    if status == 0 {
      throw .damaged(path: path, format: .png, reason: String(cString: cpng_reader_message(reader)))
    }
  }

  private func texts(of reader: UnsafeMutablePointer<cpng_reader>) -> [String: String] {
    var texts: [String: String] = [:]
    for index in 0..<Int(reader.pointee.text_count) {
      let chunk = reader.pointee.texts[index]
      guard let key = chunk.key else { continue }
      let keyword = PNGText.latin1(UnsafeRawBufferPointer(start: key, count: strlen(key)))
      let isUTF8 = chunk.compression >= PNG_ITXT_COMPRESSION_NONE
      let length = isUTF8 ? chunk.itxt_length : chunk.text_length
      let bytes = UnsafeRawBufferPointer(start: chunk.text, count: chunk.text == nil ? 0 : length)
      let text = isUTF8 ? String(decoding: bytes, as: UTF8.self) : PNGText.latin1(bytes)
      texts[keyword] = texts[keyword].map { $0 + "\n" + text } ?? text
    }
    return texts
  }
}
