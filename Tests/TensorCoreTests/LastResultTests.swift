import TensorCore
import Testing

/// What is kept of a computation.
@Suite struct LastResultTests {
  private final class Counted {
    let last = LastResult()
    var count = 0

    func doubled(_ x: Tensor) -> [Float] {
      last.of([x]) {
        count += 1
        return [x + x]
      }[0].floats
    }
  }

  @Test func isGivenAgainForTheSameMemoryAlone() {
    let counted = Counted()
    var x = Tensor([1, 2] as [Float])
    #expect(counted.doubled(x) == [2, 4])
    let copy = x
    #expect(counted.doubled(copy) == [2, 4])
    #expect(counted.count == 1)
    x.withMutableElements(as: Float.self) { $0[0] = 5 }
    #expect(counted.doubled(x) == [10, 4])
    #expect(counted.doubled(x.reshaped([2, 1])) == [10, 4])
    #expect(counted.doubled(Tensor([5, 2] as [Float])) == [10, 4])
    #expect(counted.count == 4)
  }

  @Test func isNotKeptWhereGradientsAreAsked() {
    let counted = Counted()
    let tape = Tape()
    let x = tape.watch(Tensor([1] as [Float]), name: "x")
    _ = counted.doubled(x)
    _ = counted.doubled(x)
    #expect(counted.count == 2)
  }

  /// Products in another precision are another computation.
  @Test func dependsOnThePrecision() {
    let counted = Counted()
    let x = Tensor([1] as [Float])
    _ = counted.doubled(x)
    Backend.$products.withValue(.bfloat16) { _ = counted.doubled(x) }
    #expect(counted.count == 2)
  }
}
