import CPNG

/// Writes PNG files into memory through libpng.
struct PNGEncoder {
  /// What errors call the file.
  let path: String
  let compressesText: Bool

  func encode(_ image: Image, text: [String: String]) throws(ImageError) -> [UInt8] {
    guard let writer = cpng_writer_new() else {
      throw .unencodable(path: path, reason: "out of memory")
    }
    defer { cpng_writer_free(writer) }
    let sorted = text.sorted {
      $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
    }
    for (keyword, content) in sorted { try add(content, for: keyword, to: writer) }
    guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height)
    else {
      throw .unencodable(path: path, reason: "\(image.width) x \(image.height) pixels are too many")
    }
    let status = image.samples.withUnsafeBufferPointer {
      cpng_writer_pixels(writer, $0.baseAddress, width, height, UInt32(image.channels))
    }
    if status == 0 {
      throw .unencodable(path: path, reason: String(cString: cpng_writer_message(writer)))
    }
    return Array(UnsafeBufferPointer(start: writer.pointee.bytes, count: writer.pointee.count))
  }

  private func add(
    _ text: String, for keyword: String, to writer: UnsafeMutablePointer<cpng_writer>
  ) throws(ImageError) {
    let key: [UInt8]
    switch PNGText.keywordBytes(keyword) {
    case .success(let bytes): key = bytes
    case .failure(let fault):
      throw .invalidText(path: path, keyword: keyword, reason: fault.reason)
    }
    if text.utf8.contains(0) {
      throw .invalidText(path: path, keyword: keyword, reason: "the text contains a NUL")
    }
    let latin1 = PNGText.latin1Bytes(text)
    let compression =
      switch (latin1 != nil, compressesText) {
      case (true, false): PNG_TEXT_COMPRESSION_NONE
      case (true, true): PNG_TEXT_COMPRESSION_zTXt
      case (false, false): PNG_ITXT_COMPRESSION_NONE
      case (false, true): PNG_ITXT_COMPRESSION_zTXt
      }
    let status = Self.withCString(key) { key in
      Self.withCString(latin1 ?? Array(text.utf8)) {
        cpng_writer_text(writer, key, $0, compression)
      }
    }
    if status == 0 {
      let reason = String(cString: cpng_writer_message(writer))
      throw .invalidText(path: path, keyword: keyword, reason: reason)
    }
  }

  private static func withCString<R>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>?) -> R) -> R {
    (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
