import TensorCore
import TestSupport
import Testing

@Suite struct NormalizationTests {
  /// Shapes with one chunk and several, few channels and many, and their numbers of groups.
  static let shapes: [([Int], Int)] = [
    ([2, 3, 5, 6], 3), ([1, 28, 28, 32], 8), ([3, 40, 40, 48], 4), ([2, 7, 1280], 32),
    ([9, 5, 7], 7),
  ]

  @Test(arguments: shapes, [0.0, 300.0])
  func groupNormAgreesWithTheOracle(_ shape: ([Int], Int), offset: Double) {
    let (x, w, b) = Self.inputs(shape.0, offset: offset)
    let expected = Self.groupNorm(x, groups: shape.1, w.doubles, b.doubles, epsilon: 1e-5)
    let exact = x.groupNormalized(groups: shape.1, weight: w, bias: b)
    expectClose(exact, expected, tolerance: 1e-10, "float64")
    let single = x.converted(to: .float32).groupNormalized(
      groups: shape.1, weight: w.converted(to: .float32), bias: b.converted(to: .float32))
    // x itself is rounded: a share of 6e-8 of the offset, whose scale after division is about one.
    expectClose(single, expected, tolerance: 1e-6 + offset * 2e-7, "float32")
    let fused = x.groupNormalized(groups: shape.1, weight: w, bias: b, thenSiLU: true)
    expectClose(fused, expected.silu(), tolerance: 1e-10, "with SiLU")
  }

  @Test func layerNormAndRMSNormAgreeWithTheOracle() {
    for channels in [1, 5, 37, 320, 1285] {
      let (x, w, b) = Self.inputs([6, 3, channels], offset: 20)
      let layer = Self.groupNorm(
        x.reshaped([18, 1, channels]), groups: 1, w.doubles, b.doubles, epsilon: 1e-5
      ).reshaped([6, 3, channels])
      expectClose(x.layerNormalized(weight: w, bias: b), layer, tolerance: 1e-10, "layer")
      let (x32, w32) = (x.converted(to: .float32), w.converted(to: .float32))
      expectClose(
        x32.layerNormalized(weight: w32, bias: b.converted(to: .float32)), layer,
        tolerance: 1e-5, "layer in float32, \(channels) channels")
      let square = (x * x).mean(axes: [-1], keepingDimensions: true)
      let root = x / (square + 1e-6).sqrt() * w
      expectClose(x.rmsNormalized(weight: w), root, tolerance: 1e-10, "RMS")
      expectClose(x32.rmsNormalized(weight: w32), root, tolerance: 1e-6, "RMS in float32")
    }
  }

  @Test func resultsHaveMeanZeroAndVarianceOne() {
    let (x, _, _) = Self.inputs([2, 16, 16, 12], offset: 1000)
    let y = x.groupNormalized(groups: 3, epsilon: 0).reshaped([2, 256, 3, 4])
    #expect(y.mean(axes: [1, 3]).magnitude().max().item < 1e-9)
    #expect((y.variance(axes: [1, 3]) - 1).magnitude().max().item < 1e-9)
  }

  /// The same bytes in any batch and for any number of threads, forward and backward.
  @Test(arguments: [([16, 16, 32], 8), ([48, 48, 40], 4), ([64, 64, 96], 3)])
  func bytesDependOnNeitherBatchNorThreads(_ shape: ([Int], Int)) {
    let (batch, _, _) = Self.inputs([9] + shape.0, offset: 1)
    let x = batch.converted(to: .float32)
    let before = Backend.threads
    defer { Backend.threads = before }
    var seen: [[Float]] = []
    for threads in [1, 2, 8] {
      Backend.threads = threads
      let whole = Self.normAndGradient(x, groups: shape.1)
      let one = Self.normAndGradient(x.sliced(axis: 0, 3..<4), groups: shape.1)
      for (all, single) in zip(whole, one) {
        #expect(all.sliced(axis: 0, 3..<4).floats == single.floats, "\(shape), \(threads) threads")
      }
      seen.append(whole[0].floats + whole[1].floats)
    }
    #expect(seen[0] == seen[1] && seen[1] == seen[2])
  }

  private static func normAndGradient(_ x: Tensor, groups: Int) -> [Tensor] {
    let tape = Tape()
    let variable = tape.watch(x)
    let y = variable.groupNormalized(groups: groups, thenSiLU: true)
    let gradient = tape.gradients(of: y, seed: x, withRespectTo: [variable])[0]
    return [y.detached, gradient]
  }

  private static func inputs(_ shape: [Int], offset: Double) -> (Tensor, Tensor, Tensor) {
    let channels = shape[shape.count - 1]
    return (
      Sample.uniform(shape, seed: 51, low: offset - 2, high: offset + 3),
      Sample.uniform([channels], seed: 52, low: 0.5, high: 2), Sample.uniform([channels], seed: 53)
    )
  }

  /// The definition, in float64.
  static func groupNorm(
    _ x: Tensor, groups: Int, _ w: [Double], _ b: [Double], epsilon: Double
  ) -> Tensor {
    let (values, channels) = (x.doubles, w.count)
    let (rows, width) = (x.count / x.shape[0] / channels, channels / groups)
    var result = values
    for sample in 0..<x.shape[0] {
      for group in 0..<groups {
        let places = (0..<rows).flatMap { row in
          (0..<width).map { (sample * rows + row) * channels + group * width + $0 }
        }
        let mean = places.reduce(0) { $0 + values[$1] } / Double(places.count)
        let square = places.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) }
        let deviation = (square / Double(places.count) + epsilon).squareRoot()
        for place in places {
          let channel = place % channels
          result[place] = (values[place] - mean) / deviation * w[channel] + b[channel]
        }
      }
    }
    return Tensor(result, shape: x.shape)
  }
}
