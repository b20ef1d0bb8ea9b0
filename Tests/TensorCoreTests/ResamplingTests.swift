import TensorCore
import TestSupport
import Testing

@Suite struct ResamplingTests {
  @Test func nearestRepeatsPixels() {
    let x = Sample.uniform([2, 3, 2, 3], seed: 1).converted(to: .float32)
    let y = x.upsampledNearest(by: 2)
    #expect(y.shape == [2, 6, 4, 3])
    let (from, to) = (x.floats, y.floats)
    for (b, i, j, c) in indices(y.shape) {
      #expect(
        to[((b * 6 + i) * 4 + j) * 3 + c] == from[((b * 3 + i / 2) * 2 + j / 2) * 3 + c])
    }
  }

  @Test func nearestTakesTheFloor() {
    let x = Tensor([0.0, 1, 2, 3, 4], shape: [1, 5, 1, 1])
    #expect(x.resampledNearest(to: (3, 1)).doubles == [0, 1, 3])
    #expect(x.resampledNearest(to: (8, 1)).doubles == [0, 0, 1, 1, 2, 3, 3, 4])
  }

  @Test(arguments: [true, false], [[5, 7], [1, 1], [9, 2], [3, 4]])
  func bilinearAgreesWithTheDefinition(_ alignsCorners: Bool, _ size: [Int]) {
    let x = Sample.uniform([2, 3, 4, 5], seed: 2)
    func place(_ i: Int, _ from: Int, _ to: Int) -> Double {
      if alignsCorners { return to == 1 ? 0 : Double(i * (from - 1)) / Double(to - 1) }
      return max(0, (Double(i) + 0.5) * Double(from) / Double(to) - 0.5)
    }
    let values = x.doubles
    func weight(_ place: Double, _ index: Int, _ length: Int) -> Double {
      max(0, 1 - abs(min(place, Double(length - 1)) - Double(index)))
    }
    var expected: [Double] = []
    for (b, i, j, c) in indices([2, size[0], size[1], 5]) {
      var sum = 0.0
      for r in 0..<3 {
        for s in 0..<4 {
          sum +=
            weight(place(i, 3, size[0]), r, 3) * weight(place(j, 4, size[1]), s, 4)
            * values[((b * 3 + r) * 4 + s) * 5 + c]
        }
      }
      expected.append(sum)
    }
    let y = x.resampledBilinear(to: (size[0], size[1]), alignsCorners: alignsCorners)
    expectClose(y, Tensor(expected, shape: [2, size[0], size[1], 5]), tolerance: 1e-13)
    let single = x.converted(to: .float32)
      .resampledBilinear(to: (size[0], size[1]), alignsCorners: alignsCorners)
    expectClose(single, y, tolerance: 1e-6)
  }

  /// The filters against sums over all taps, zeros around the picture, for odd and even widths.
  @Test(arguments: [1, 3, 17], [2, 4, 6]) func binomialAgreesWithTheDefinition(
    _ channels: Int, _ side: Int
  ) {
    let (height, width) = (side, side + 2)
    let x = Sample.uniform([2, height, width, channels], seed: 3)
    let values = x.doubles
    func pixel(_ b: Int, _ i: Int, _ j: Int, _ c: Int) -> Double {
      guard (0..<height).contains(i), (0..<width).contains(j) else { return 0 }
      return values[((b * height + i) * width + j) * channels + c]
    }
    let weights = [1.0, 3, 3, 1]
    var halved: [Double] = []
    for (b, i, j, c) in indices([2, height / 2, width / 2, channels]) {
      var sum = 0.0
      for r in 0..<4 {
        for s in 0..<4 {
          sum += weights[r] * weights[s] / 64 * pixel(b, 2 * i - 1 + r, 2 * j - 1 + s, c)
        }
      }
      halved.append(sum)
    }
    var doubled: [Double] = []
    for (b, i, j, c) in indices([2, 2 * height, 2 * width, channels]) {
      var sum = 0.0
      // A pixel of the larger picture sees those of the smaller one that stand, zeros between, under the filter.
      for r in 0..<4 where (i + r - 2) % 2 == 0 {
        for s in 0..<4 where (j + s - 2) % 2 == 0 {
          sum += weights[r] * weights[s] / 16 * pixel(b, (i + r - 2) / 2, (j + s - 2) / 2, c)
        }
      }
      doubled.append(sum)
    }
    let half = [2, height / 2, width / 2, channels]
    expectClose(x.halvedBinomially(), Tensor(halved, shape: half), tolerance: 1e-14)
    let double = [2, 2 * height, 2 * width, channels]
    expectClose(x.doubledBinomially(), Tensor(doubled, shape: double), tolerance: 1e-14)
    let single = x.converted(to: .float32)
    expectClose(single.halvedBinomially(), x.halvedBinomially(), tolerance: 1e-6)
    expectClose(single.doubledBinomially(), x.doubledBinomially(), tolerance: 1e-6)
  }

  @Test func linesStayLinesWhereCornersAlign() {
    let ramp = Tensor([0.0, 1, 2, 3], shape: [1, 1, 4, 1])
    let y = ramp.resampledBilinear(to: (1, 7), alignsCorners: true)
    expectClose(y, Tensor([0, 0.5, 1, 1.5, 2, 2.5, 3], shape: [1, 1, 7, 1]), tolerance: 1e-15)
  }

  private func indices(_ shape: [Int]) -> [(Int, Int, Int, Int)] {
    (0..<shape.reduce(1, *)).map { index in
      (
        index / shape[3] / shape[2] / shape[1], index / shape[3] / shape[2] % shape[1],
        index / shape[3] % shape[2], index % shape[3]
      )
    }
  }
}
