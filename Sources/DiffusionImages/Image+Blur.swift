import Foundation

extension Image {
  /// The picture blurred by a Gaussian, edges repeated; alpha is a channel like the others.
  ///
  /// - Parameter deviation: its standard deviation in pixels; 0 for the picture as it is.
  public func blurred(deviation: Double) -> Image {
    guard deviation >= 0, deviation.isFinite else {
      imageMisuse("Image.blurred: expected a deviation of 0 or more, found \(deviation)")
    }
    if deviation == 0 { return self }
    // Beyond four deviations less than 1/255 of a sample is left.
    let reach = Int((4 * deviation).rounded(.up))
    let heights = (-reach...reach).map { exp(-0.5 * pow(Double($0) / deviation, 2)) }
    let sum = heights.reduce(0, +)
    let weights = heights.map { Float($0 / sum) }
    let rows = smoothed(
      samples.map(Float.init), weights, count: width, step: channels, lines: height)
    let columns = smoothed(
      rows, weights, count: height, step: width * channels, lines: 1)
    return Image(
      width: width, height: height, channels: channels,
      samples: columns.map { UInt8(max(0, min(255, $0.rounded()))) })
  }

  /// Weighted sums along one axis: `count` places that lie `step` samples apart, in each of `lines` blocks.
  private func smoothed(
    _ values: [Float], _ weights: [Float], count: Int, step: Int, lines: Int
  ) -> [Float] {
    let reach = weights.count / 2
    return [Float](unsafeUninitializedCapacity: values.count) { out, initialized in
      for line in 0..<lines {
        let block = line * count * step
        for place in 0..<count {
          for offset in 0..<step {
            var sum: Float = 0
            for tap in 0..<weights.count {
              let from = min(max(place + tap - reach, 0), count - 1)
              sum += weights[tap] * values[block + from * step + offset]
            }
            out[block + place * step + offset] = sum
          }
        }
      }
      initialized = values.count
    }
  }
}
