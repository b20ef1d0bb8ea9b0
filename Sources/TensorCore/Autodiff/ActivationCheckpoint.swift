extension Tensor {
  /// What `body` makes of `operands`, without keeping anything that it computes on the way: the pullback runs `body`
  /// a second time, on a tape of its own (Chen et al., "Training Deep Nets with Sublinear Memory Cost").
  ///
  /// `body` must be a pure function of its argument: what it captures is taken as constant, and both runs must give
  /// the same numbers. Where no operand is recorded it is simply called.
  ///
  /// Its first-order gradients are those of `body`; there are no others.
  public static func checkpointed(
    _ operands: [Tensor], _ body: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> Tensor {
    let values = operands.map(\.detached)
    return body(values).detached.recorded(as: .activationCheckpoint, from: operands) {
      gradient, needed in
      let tape = Tape()
      let inputs = zip(values, needed).map { $1 ? tape.watch($0) : $0 }
      let output = body(inputs)
      var gradients = tape.gradients(
        of: output, seed: gradient,
        withRespectTo: zip(inputs, needed).filter(\.1).map(\.0)
      )[...]
      return needed.map { $0 ? gradients.popFirst() : nil }
    }
  }
}
