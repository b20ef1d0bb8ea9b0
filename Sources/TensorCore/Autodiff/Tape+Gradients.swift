extension Tape {
  /// The gradients of `output` with respect to `variables`, one for each, of its shape; zeros where `output` does not
  /// depend on it.
  ///
  /// Memory that only the recording holds is freed as the pass goes: hand the output over (`consume`) where it is
  /// not needed any more.
  ///
  /// - Parameters:
  ///   - output: a recorded tensor; a scalar unless `seed` is given.
  ///   - seed: the gradient of `output` itself, of its shape; 1 for a scalar.
  public func gradients(
    of output: consuming Tensor, seed: Tensor? = nil, withRespectTo variables: [Tensor]
  ) -> [Tensor] {
    require(
      seed != nil || output.count == 1, "gradients",
      "an output of shape \(output.shape) is no scalar: give its gradient as seed")
    let start = seed ?? Tensor(repeating: 1, shape: output.shape, dtype: output.dtype)
    require(
      start.shape == output.shape, "gradients",
      "the seed's shape \(start.shape) is not the output's \(output.shape)")
    let root = output.origin
    output = output.detached
    var pass = BackwardPass(keeping: variables.compactMap(\.origin))
    if let root { pass.run(from: root, seed: start) }
    return variables.map { variable in
      variable.origin.flatMap { pass.gradient(of: $0) }
        ?? Tensor.zeros(variable.shape, dtype: variable.dtype)
    }
  }
}

/// One walk from a result back to the variables.
private struct BackwardPass {
  private var gradients: [Int: Tensor] = [:]
  private let kept: Set<Int>

  init(keeping origins: [Origin]) { kept = Set(origins.map(\.order)) }

  func gradient(of origin: Origin) -> Tensor? { gradients[origin.order] }

  mutating func run(from root: consuming Origin, seed: Tensor) {
    gradients[root.order] = seed.detached
    var pending = Self.ordered(from: root)
    while let origin = pending.popLast() {
      guard let pullback = origin.pullback else { continue }
      let order = origin.order
      let own = kept.contains(order) ? gradients[order] : gradients.removeValue(forKey: order)
      guard let own else { continue }
      let parents = origin.parents
      let parts = pullback(own, parents.map { $0 != nil })
      require(
        parts.count == parents.count, origin.name,
        "the pullback gave \(parts.count) gradients for \(parents.count) operands")
      for (parent, part) in zip(parents, parts) {
        if let parent, let part { accumulate(part, for: parent.order) }
      }
    }
  }

  private mutating func accumulate(_ part: Tensor, for order: Int) {
    if var sum = gradients.removeValue(forKey: order) {
      sum.accumulate(part)
      gradients[order] = sum
    } else {
      gradients[order] = part
    }
  }

  /// All origins that lead to `root`, in rising order: popped from the end, a result comes before its operands.
  private static func ordered(from root: Origin) -> [Origin] {
    var seen: Set<Int> = [root.order]
    var found = [root]
    var index = 0
    while index < found.count {
      for case .some(let parent) in found[index].parents where seen.insert(parent.order).inserted {
        found.append(parent)
      }
      index += 1
    }
    return found.sorted { $0.order < $1.order }
  }
}
