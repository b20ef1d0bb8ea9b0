import TensorCore
import TestSupport
import Testing

@Suite struct TapeTests {
  @Test func aVariableUsedTwiceGetsBothGradients() {
    let tape = Tape()
    let x = tape.watch(Tensor([3.0]))
    let gradients = tape.gradients(of: (x * x + x).sum(), withRespectTo: [x])
    #expect(gradients[0].doubles == [7])
  }

  @Test func whatIsNotReachedGetsZeros() {
    let tape = Tape()
    let (x, y) = (tape.watch(Tensor([3.0])), tape.watch(Tensor([1.0, 2])))
    #expect(tape.gradients(of: x.sum(), withRespectTo: [x, y])[1].doubles == [0, 0])
  }

  @Test func constantsAreNotRecorded() {
    #expect((Tensor([1.0]) * Tensor([2.0])).origin == nil)
  }

  @Test func aVeryLongChainIsWalkedAndFreedWithoutRecursion() {
    let tape = Tape()
    let x = tape.watch(Tensor([1.0]))
    var y = x
    for _ in 0..<200_000 { y = y + 0 }
    #expect(tape.gradients(of: y.sum(), withRespectTo: [x])[0].doubles == [1])
  }

  @Test func theFirstOperationThatIsNotFiniteIsNamed() {
    let tape = Tape(findsNonFinite: true)
    let x = tape.watch(Tensor([0.0, 1]))
    _ = (x + 1).log() + (x - 1).log() * 2
    #expect(tape.firstNonFinite?.hasPrefix("log") == true)
  }
}
