import TensorCore
import TestSupport
import Testing

@Suite struct PoolingTests {
  /// Pooling by its definition: `ceil_mode` and `count_include_pad` as PyTorch has them.
  private func pooled(
    _ x: Tensor, _ kernel: (Int, Int), _ stride: (Int, Int), _ padding: Padding,
    roundsUp: Bool, countsPadding: Bool?
  ) -> Tensor {
    func length(_ n: Int, _ k: Int, _ s: Int, _ before: Int, _ after: Int) -> Int {
      let room = Double(n + before + after - k) / Double(s)
      var count = Int(roundsUp ? room.rounded(.up) : room.rounded(.down)) + 1
      if roundsUp && (count - 1) * s >= n + before { count -= 1 }
      return count
    }
    let (shape, values) = (x.shape, x.doubles)
    let height = length(shape[1], kernel.0, stride.0, padding.top, padding.bottom)
    let width = length(shape[2], kernel.1, stride.1, padding.left, padding.right)
    var result: [Double] = []
    for b in 0..<shape[0] {
      for i in 0..<height {
        for j in 0..<width {
          for c in 0..<shape[3] {
            var (sum, largest, inside, counted) = (0.0, -Double.infinity, 0, 0)
            for r in i * stride.0 - padding.top..<i * stride.0 - padding.top + kernel.0 {
              for s in j * stride.1 - padding.left..<j * stride.1 - padding.left + kernel.1 {
                if r < shape[1] + padding.bottom && s < shape[2] + padding.right { counted += 1 }
                if r < 0 || r >= shape[1] || s < 0 || s >= shape[2] { continue }
                let value = values[((b * shape[1] + r) * shape[2] + s) * shape[3] + c]
                inside += 1
                sum += value
                largest = max(largest, value)
              }
            }
            if let countsPadding {
              result.append(sum / Double(countsPadding ? counted : inside))
            } else {
              result.append(largest)
            }
          }
        }
      }
    }
    return Tensor(result, shape: [shape[0], height, width, shape[3]])
  }

  @Test(arguments: [true, false], [true, false])
  func averagesAgreeWithTheDefinition(_ roundsUp: Bool, _ countsPadding: Bool) {
    let x = Sample.uniform([2, 7, 6, 5], seed: 1)
    let padding = Padding(top: 1, bottom: 1, left: 0, right: 1)
    let expected = pooled(
      x, (3, 2), (2, 3), padding, roundsUp: roundsUp, countsPadding: countsPadding)
    for dtype in [DType.float64, .float32] {
      let y = x.converted(to: dtype).averagePooled(
        (3, 2), stride: (2, 3), padding: padding, roundsUp: roundsUp, countsPadding: countsPadding)
      expectClose(y, expected, tolerance: dtype == .float64 ? 1e-14 : 1e-6)
    }
  }

  @Test(arguments: [true, false])
  func maximaAgreeWithTheDefinition(_ roundsUp: Bool) {
    let x = Sample.uniform([2, 7, 6, 5], seed: 2, low: -3, high: -1)
    let padding = Padding(top: 1, bottom: 0, left: 1, right: 1)
    let expected = pooled(x, (3, 3), (2, 2), padding, roundsUp: roundsUp, countsPadding: nil)
    let y = x.maxPooled((3, 3), stride: (2, 2), padding: padding, roundsUp: roundsUp)
    expectClose(y, expected, tolerance: 0)
  }

  @Test func strideIsTheKernelUnlessSaid() {
    let x = Sample.uniform([1, 4, 6, 1], seed: 3)
    let expected = pooled(x, (2, 3), (2, 3), .none, roundsUp: false, countsPadding: true)
    expectClose(x.averagePooled((2, 3)), expected, tolerance: 1e-15)
  }

  @Test func notANumberWinsAndTheFirstOfEqualsGetsTheGradient() {
    let broken = Tensor([1.0, .nan, 3, 2], shape: [1, 2, 2, 1])
    #expect(broken.maxPooled((2, 2)).item.isNaN)
    let tape = Tape()
    let x = tape.watch(Tensor([2.0, 5, 5, 1], shape: [1, 2, 2, 1]))
    let gradients = tape.gradients(of: x.maxPooled((2, 2)).reshaped([]), withRespectTo: [x])
    #expect(gradients[0].doubles == [0, 1, 0, 0])
  }

  @Test func dilatedWindowsSkipPixels() {
    let x = Tensor((0..<25).map(Double.init), shape: [1, 5, 5, 1])
    let y = x.maxPooled((2, 2), stride: (1, 1), dilation: (3, 2))
    #expect(y.shape == [1, 2, 3, 1])
    #expect(y.doubles == [17, 18, 19, 22, 23, 24])
  }
}
