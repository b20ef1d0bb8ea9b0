import CWebP

/// Reads WebP files from memory through libwebp. Of moving pictures nothing is read.
struct WebPDecoder {
  /// What errors call the file.
  let path: String
  let limits: PictureLimits

  func decode(_ bytes: [UInt8]) throws(ImageError) -> (image: Image, exif: EXIF) {
    var features = WebPBitstreamFeatures()
    let status = bytes.withUnsafeBufferPointer {
      WebPGetFeatures($0.baseAddress, $0.count, &features)
    }
    guard status == VP8_STATUS_OK else { throw damaged(Self.reason(status)) }
    if features.has_animation != 0 {
      throw .unsupported(path: path, format: .webp, reason: "it moves; save one of its frames")
    }
    let (width, height) = (Int(features.width), Int(features.height))
    guard width > 0, height > 0 else { throw damaged("it says it is \(width) x \(height) pixels") }
    guard width <= limits.maximumSide, height <= limits.maximumSide,
      width * height <= limits.maximumPixels
    else { throw .tooLarge(path: path, width: width, height: height, limits: limits) }
    let channels = features.has_alpha != 0 ? 4 : 3
    let count = width * height * channels
    let stride = Int32(width * channels)
    let samples = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
      let decoded = bytes.withUnsafeBufferPointer { file in
        channels == 4
          ? WebPDecodeRGBAInto(file.baseAddress, file.count, out.baseAddress, count, stride)
          : WebPDecodeRGBInto(file.baseAddress, file.count, out.baseAddress, count, stride)
      }
      initialized = decoded == nil ? 0 : count
    }
    guard samples.count == count else { throw damaged("its pixels end early or are no picture") }
    let image = Image(width: width, height: height, channels: channels, samples: samples)
    return (image, Self.exif(bytes))
  }

  private func damaged(_ reason: String) -> ImageError {
    .damaged(path: path, format: .webp, reason: reason)
  }

  private static func reason(_ status: VP8StatusCode) -> String {
    switch status {
    case VP8_STATUS_NOT_ENOUGH_DATA: "the file ends early"
    case VP8_STATUS_UNSUPPORTED_FEATURE: "it has a feature that libwebp does not know"
    case VP8_STATUS_OUT_OF_MEMORY: "out of memory"
    default: "its header is no picture's"
    }
  }

  /// The block in the RIFF chunk `EXIF`, which some programs begin as JPEG files do.
  private static func exif(_ bytes: [UInt8]) -> EXIF {
    var start = 12
    while start + 8 <= bytes.count {
      let length = bytes[start + 4..<start + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      let content = start + 8
      guard length <= bytes.count - content else { break }
      if bytes[start..<start + 4].elementsEqual("EXIF".utf8) {
        var block = bytes[content..<content + length]
        if block.starts(with: "Exif\0\0".utf8) { block = block.dropFirst(6) }
        return EXIF(Array(block))
      }
      start = content + length + length % 2
    }
    return EXIF()
  }
}
