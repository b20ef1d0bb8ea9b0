import Foundation
import TensorCore

/// Pixels of a number of levels spread evenly over -1...1, both ends included, as `2 k / 255 - 1` is: what it takes to have
/// the probability of a picture from a density.
///
/// Neighbours are `width = 2 / (levels - 1)` apart, so a level's bin reaches half of that to either side and all bins
/// together cover `-1 - width / 2 ... 1 + width / 2`. (Song et al. 2021 put `(k + u) / 256` into bins of 2/256, whose
/// constant is 7 bits; here it is `log2(127.5)`.)
public struct PixelGrid: Sendable, Hashable {
  /// How many levels a pixel has.
  public let levels: Int

  /// Pixels of so many levels, two or more.
  public init(levels: Int = 256) {
    require(levels >= 2, "PixelGrid", "\(levels) levels: a pixel has two or more")
    self.levels = levels
  }

  /// How far neighbouring levels are apart, which is the width of their bins.
  public var width: Double { 2 / Double(levels - 1) }

  /// Pictures with noise that is uniform over each pixel's bin (Uria, Murray and Larochelle 2013; Theis et al. 2016,
  /// section 3.1): `[batch, ...]`, a sample's noise being its seed's.
  public func dequantized(_ pixels: Tensor, seeds: [UInt64]) -> Tensor {
    require(
      pixels.shape.first == seeds.count && !seeds.isEmpty, "dequantized",
      "\(seeds.count) seeds for pictures \(pixels.shape): give one each")
    let noise = seeds.map { seed -> Tensor in
      var generator = CounterGenerator(seed: seed, stream: 0)
      return Tensor.randomUniform(
        [1] + pixels.shape.dropFirst(), dtype: pixels.dtype, low: -width / 2, high: width / 2,
        using: &generator)
    }
    return pixels + Tensor.concatenated(noise, axis: 0)
  }

  /// Bits a dimension of a picture whose dequantised density has the logarithm `logDensity`, in nats.
  ///
  /// `log P(pixels) >= E[log(p(x) width^dimension)]` over the noise (Theis et al. 2016, equation 4), so this is
  /// `-logDensity / (dimension log 2) - log2(width)`, on average no less than the picture's cost.
  public func bitsPerDimension(_ logDensity: Double, dimension: Int) -> Double {
    -logDensity / (Double(dimension) * log(2)) - log2(width)
  }
}
