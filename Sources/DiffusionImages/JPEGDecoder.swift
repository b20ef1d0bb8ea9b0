import CJPEG

/// Reads JPEG files from memory through libjpeg.
struct JPEGDecoder {
  /// What errors call the file.
  let path: String
  let limits: PictureLimits

  func decode(_ bytes: [UInt8]) throws(ImageError) -> (image: Image, exif: EXIF) {
    // A closure's typed throw does not pass through `withUnsafeBufferPointer` of every toolchain.
    let result = bytes.withUnsafeBufferPointer { buffer -> Result<(Image, EXIF), ImageError> in
      guard let start = buffer.baseAddress, let reader = cjpeg_reader_new(start, buffer.count)
      else { return .failure(.damaged(path: path, format: .jpeg, reason: "out of memory")) }
      defer { cjpeg_reader_free(reader) }
      return Result { () throws(ImageError) in try read(reader) }
    }
    return try result.get()
  }

  private func read(
    _ reader: UnsafeMutablePointer<cjpeg_reader>
  ) throws(ImageError) -> (Image, EXIF) {
    var header = cjpeg_header()
    try check(cjpeg_reader_header(reader, &header), reader)
    let (width, height) = (Int(header.width), Int(header.height))
    let channels = Int(header.channels)
    guard width <= limits.maximumSide, height <= limits.maximumSide,
      width * height <= limits.maximumPixels
    else { throw .tooLarge(path: path, width: width, height: height, limits: limits) }
    let exif = exif(of: reader)  // finishing gives its memory back
    let count = width * height * channels
    var status: Int32 = 0
    let samples = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
      status = cjpeg_reader_pixels(reader, out.baseAddress, count)
      initialized = status == 0 ? 0 : count
    }
    try check(status, reader)
    let image =
      channels == 4
      ? Image(
        width: width, height: height, channels: 3,
        samples: Self.rgb(cmyk: samples, inverted: header.inverted != 0))
      : Image(width: width, height: height, channels: channels, samples: samples)
    return (image, exif)
  }

  /// Inks to light without a profile: `(255 - ink) (255 - black) / 255`, rounded.
  private static func rgb(cmyk: [UInt8], inverted: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(cmyk.count / 4 * 3)
    for start in stride(from: 0, to: cmyk.count, by: 4) {
      let light = cmyk[start..<start + 4].map { UInt32(inverted ? $0 : 255 - $0) }
      for channel in 0..<3 { result.append(UInt8((light[channel] * light[3] + 127) / 255)) }
    }
    return result
  }

  private func exif(of reader: UnsafeMutablePointer<cjpeg_reader>) -> EXIF {
    var count = 0
    guard let bytes = cjpeg_reader_exif(reader, &count) else { return EXIF() }
    return EXIF(Array(UnsafeBufferPointer(start: bytes, count: count)))
  }

  private func check(
    _ status: Int32, _ reader: UnsafeMutablePointer<cjpeg_reader>
  ) throws(ImageError) {
    if status == 0 {
      let message = String(cString: cjpeg_reader_message(reader))
      throw .damaged(path: path, format: .jpeg, reason: message)
    }
  }
}
