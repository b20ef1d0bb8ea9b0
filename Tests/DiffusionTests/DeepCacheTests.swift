import Diffusion
import TensorCore
import Testing

/// Which evaluations are whole.
@Suite struct DeepCacheTests {
  /// Answers with the time at which its features were made, beside the time it is asked for.
  private struct Recorder: DeepNetwork {
    func predict(_ x: Tensor, times: [Double], conditions: [NoCondition]) -> Tensor {
      predictKeeping(x, times: times, conditions: conditions).answer
    }

    func predictKeeping(
      _ x: Tensor, times: [Double], conditions: [NoCondition]
    ) -> (answer: Tensor, deep: Tensor) {
      let deep = Tensor(repeating: times[0], shape: [x.shape[0], 1])
      return (predict(x, times: times, conditions: conditions, deep: deep), deep)
    }

    func predict(
      _ x: Tensor, times: [Double], conditions: [NoCondition], deep: Tensor
    ) -> Tensor {
      deep + times[0] / 100
    }
  }

  private func answers(_ interval: Int, batches: [Int]) -> [Double] {
    let network = DeepCache(Recorder(), interval: interval)
    return batches.enumerated().map { time, batch in
      let x = Tensor.zeros([batch, 1])
      let conditions = Array(repeating: NoCondition(), count: batch)
      return network.predict(x, times: [Double(time)], conditions: conditions).doubles[0]
    }
  }

  @Test func everyThirdEvaluationIsWhole() {
    let found = answers(3, batches: Array(repeating: 2, count: 7))
    for (time, answer) in found.enumerated() {
      #expect(abs(answer - (Double(time / 3 * 3) + Double(time) / 100)) < 1e-6)
    }
  }

  @Test func anIntervalOfOneReusesNothing() {
    for (time, answer) in answers(1, batches: [1, 1, 1]).enumerated() {
      #expect(abs(answer - Double(time) * 1.01) < 1e-6)
    }
  }

  /// Without guidance a batch is half as large: features of the other size do not serve.
  @Test func anotherShapeIsWhole() {
    let found = answers(4, batches: [2, 2, 1, 1])
    #expect(zip(found, [0, 0.01, 2.02, 2.03]).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}
