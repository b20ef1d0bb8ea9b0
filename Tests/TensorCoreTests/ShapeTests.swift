import TensorCore
import TestSupport
import Testing

@Suite struct ShapeTests {
  @Test(arguments: [
    [0, 1, 2, 3], [0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1],
  ])
  func permutingMovesEveryElement(_ order: [Int]) {
    for dtype in [DType.float32, .float64, .float16] {
      let shape = [3, 4, 5, 6]
      let x = Tensor((0..<360).map { Double($0) }, shape: shape).converted(to: dtype)
      let y = x.permuted(order)
      let strides = Tensor.rowStrides(shape)
      let values = y.doubles
      var flat = 0
      for a in 0..<y.shape[0] {
        for b in 0..<y.shape[1] {
          for c in 0..<y.shape[2] {
            for d in 0..<y.shape[3] {
              let source = zip([a, b, c, d], order).reduce(0) { $0 + $1.0 * strides[$1.1] }
              #expect(values[flat] == Double(source))
              flat += 1
            }
          }
        }
      }
    }
  }

  @Test func joiningUndoesSplitting() {
    let x = Sample.uniform([3, 6, 5], seed: 41)
    for axis in 0..<3 {
      let parts = x.split(axis: axis, lengths: [1, x.shape[axis] - 1])
      #expect(Tensor.concatenated(parts, axis: axis).doubles == x.doubles)
    }
  }

  @Test func paddingSurroundsAndSlicingCutsItOffAgain() {
    let x = Sample.uniform([2, 3], seed: 42)
    let padded = x.padded([(1, 2), (0, 3)], value: 7)
    #expect(padded.shape == [5, 6])
    #expect(padded.sum().item - x.sum().item - 7 * 24 < 1e-12)
    #expect(padded.sliced(axis: 0, 1..<3).sliced(axis: 1, 0..<3).doubles == x.doubles)
  }

  @Test func copiesAreValues() {
    let x = Tensor([1.0, 2, 3])
    var y = x
    y.withMutableElements(as: Double.self) { $0[0] = 9 }
    #expect(x.doubles == [1, 2, 3])
    #expect(y.doubles == [9, 2, 3])
  }
}
