import Foundation

/// The kernels that pictures are resampled with.
public enum ResizeFilter: String, Sendable, CaseIterable {
  /// `sinc(x) sinc(x / 3)` within three samples (Duchon 1979): the sharpest, with slight ringing.
  case lanczos
  /// Keys's cubic with a = -1/2 (Keys 1981, equation 4), within two samples.
  case bicubic
  /// The triangle, within one sample.
  case bilinear

  /// Half the kernel's width, in samples of the coarser of source and result.
  var support: Double {
    switch self {
    case .lanczos: 3
    case .bicubic: 2
    case .bilinear: 1
    }
  }

  /// The kernel at `x` samples from its centre.
  func value(_ x: Double) -> Double {
    let distance = abs(x)
    guard distance < support else { return 0 }
    switch self {
    case .lanczos:
      return Self.sinc(distance) * Self.sinc(distance / 3)
    case .bicubic:
      let a = -0.5
      return distance < 1
        ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
        : (((distance - 5) * distance + 8) * distance - 4) * a
    case .bilinear:
      return 1 - distance
    }
  }

  private static func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : sin(.pi * x) / (.pi * x)
  }
}

/// One axis of a resampling: for each sample of the result, the samples of the source that it is
/// made of.
struct ResizeWeights {
  /// Bits after the point of a weight: with samples of 8 bits, sums stay within 32 bits.
  static let fractionBits: Int32 = 22
  /// One half, where sums start so that they end rounded.
  static let half: Int32 = 1 << (fractionBits - 1)

  /// A sum of weighted samples as a sample, held within 8 bits.
  @inline(__always) static func sample(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: max(0, min(255, sum >> fractionBits)))
  }

  /// The first source sample of each result sample.
  let starts: [Int]
  /// The number of source samples of each result sample.
  let counts: [Int]
  /// `[result, widest]` weights as integers of `fractionBits`, each row normalised to sum to one.
  let weights: [Int32]
  /// The length of a row of `weights`.
  let widest: Int

  /// Where the result is smaller the kernel is stretched over as many source samples, so that none
  /// goes unseen (antialiasing); at the borders it is cut and normalised anew.
  init(from source: Int, to target: Int, filter: ResizeFilter) {
    let scale = Double(source) / Double(target)
    let stretch = max(scale, 1)
    let reach = filter.support * stretch
    let widest = Int(reach.rounded(.up)) * 2 + 1
    var starts: [Int] = []
    var counts: [Int] = []
    var weights = [Int32](repeating: 0, count: target * widest)
    for index in 0..<target {
      let centre = (Double(index) + 0.5) * scale
      let start = max(0, Int(centre - reach + 0.5))
      let end = min(source, Int(centre + reach + 0.5))
      let row = (start..<end).map { filter.value((Double($0) - centre + 0.5) / stretch) }
      let sum = row.reduce(0, +)
      for (offset, weight) in row.enumerated() {
        let scaled = weight / sum * Double(1 << Self.fractionBits)
        weights[index * widest + offset] = Int32(scaled.rounded(.toNearestOrAwayFromZero))
      }
      starts.append(start)
      counts.append(row.count)
    }
    self.starts = starts
    self.counts = counts
    self.weights = weights
    self.widest = widest
  }
}
