extension Image {
  /// The image over an opaque background: alpha is gone, one channel or three are left.
  ///
  /// `round((alpha * sample + (255 - alpha) * background) / 255)` of the stored samples, as
  /// browsers do. A grey image becomes RGB where the background has a hue. Without alpha it is the
  /// image itself.
  public func composited(over background: Color) -> Image {
    guard hasAlpha else { return self }
    if isGrey && !background.isGrey {
      return converted(toChannels: 4).composited(over: background)
    }
    let colors = channels - 1
    let under = background.pixel(channels: colors).map(UInt32.init)
    var result: [UInt8] = []
    result.reserveCapacity(width * height * colors)
    for start in stride(from: 0, to: samples.count, by: channels) {
      let alpha = UInt32(samples[start + colors])
      for channel in 0..<colors {
        let sum = alpha * UInt32(samples[start + channel]) + (255 - alpha) * under[channel]
        result.append(UInt8((sum + 127) / 255))
      }
    }
    return Image(width: width, height: height, channels: colors, samples: result)
  }

  /// The image with another number of channels.
  ///
  /// Grey becomes RGB by repetition, RGB becomes grey by its luma (`Color.luma`), and alpha is
  /// added full. Alpha cannot be taken away without a background: see `composited(over:)`,
  /// `converted(toChannels:over:)`.
  public func converted(toChannels target: Int) -> Image {
    if target == channels { return self }
    guard (1...4).contains(target), !hasAlpha || target == 2 || target == 4 else {
      imageMisuse(
        "Image.converted(toChannels:): \(channels) channels to \(target): expected 1 to 4, "
          + "with alpha only 2 and 4; composite over a background to lose the alpha")
    }
    var result: [UInt8] = []
    result.reserveCapacity(width * height * target)
    for start in stride(from: 0, to: samples.count, by: channels) {
      let first = samples[start]
      let color =
        isGrey
        ? Color(grey: first)
        : Color(red: first, green: samples[start + 1], blue: samples[start + 2])
      let alpha = hasAlpha ? samples[start + channels - 1] : 255
      result.append(target < 3 ? color.luma : color.red)
      if target >= 3 {
        result.append(color.green)
        result.append(color.blue)
      }
      if target == 2 || target == 4 { result.append(alpha) }
    }
    return Image(width: width, height: height, channels: target, samples: result)
  }

  /// The image with another number of channels, over a background where alpha has to go.
  public func converted(toChannels target: Int, over background: Color) -> Image {
    let losesAlpha = hasAlpha && (target == 1 || target == 3)
    return (losesAlpha ? composited(over: background) : self).converted(toChannels: target)
  }
}
