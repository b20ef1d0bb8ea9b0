import TensorCore
import Testing

/// What a profile is made of.
@Suite(.serialized) struct OperationTraceTests {
  /// Other tests compute meanwhile: operations are told apart by shapes that only this test has.
  @Test func operationsComeInOrderWithTheirShapes() {
    let (x, weight) = (Tensor.ones([3, 4, 1031]), Tensor.ones([1033, 1031]))
    let records = OperationTrace.shared.records { _ = x.linear(weight).gelu() }
      .filter { $0.shape == [3, 4, 1033] }
    #expect(records.map(\.operation) == [.linear, .gelu])
    #expect(records.first?.operands == [[3, 4, 1031], [1033, 1031]])
    #expect(records.first?.bytes == 4 * (12 * 1031 + 1033 * 1031 + 12 * 1033))
    #expect(records.allSatisfy { $0.seconds >= 0 })
    _ = x.linear(weight)
    #expect(OperationTrace.shared.records {}.allSatisfy { $0.shape != [3, 4, 1033] })
  }
}
