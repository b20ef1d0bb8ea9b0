import TensorCore

extension ProbabilityFlow {
  /// How often a leg may be halved.
  private static var mostHalvings: Int { 16 }

  /// The states at the end of a leg, each sample's error below the tolerance.
  ///
  /// A step of Dormand and Prince's over the whole leg is tried for all; samples whose error is too large go it in two
  /// halves, and so on. So steps are each sample's own, though those that go together are computed together.
  ///
  /// - Parameter tolerance: of a step, on the root mean square of z's error (z is of unit scale) and on that of the log
  ///   density in nats a dimension.
  func advanced(
    _ state: State, from start: Double, to end: Double, tolerance: Double, halvings: Int = 0
  ) throws(LikelihoodError<D.Failure>) -> State {
    var (moved, errors) = try step(state, from: start, to: end)
    let failed = errors.indices.filter { !(errors[$0] <= tolerance) }
    if failed.isEmpty { return moved }
    guard halvings < Self.mostHalvings else {
      throw .tolerance(tolerance, level: level(at: start))
    }
    var rejected = state.rows(failed)
    rejected.evaluations = failed.map { moved.evaluations[$0] }
    let middle = (start + end) / 2
    for (from, to) in [(start, middle), (middle, end)] {
      rejected = try advanced(
        rejected, from: from, to: to, tolerance: tolerance, halvings: halvings + 1)
    }
    if failed.count == errors.count { return rejected }
    moved = moved.rows(errors.indices.filter { errors[$0] <= tolerance })
    return moved.joined(rejected)
  }

  /// One step, and each sample's error.
  private func step(
    _ state: State, from start: Double, to end: Double
  ) throws(LikelihoodError<D.Failure>) -> (State, errors: [Double]) {
    let h = end - start
    var slopes = [state.slope]
    var z = state.z
    for (node, weights) in zip(DormandPrincePair.nodes, DormandPrincePair.weights).dropFirst() {
      let terms = zip(weights, slopes).filter { $0.0 != 0 }
      z = Tensor.linearCombination(
        [(1, state.z)] + terms.map { (h * $0.0, $0.1.z) })
      slopes.append(
        try slope(of: z, at: start + h * node, labels: state.labels, probes: state.probes))
    }
    var moved = state
    moved.z = z
    moved.slope = slopes[slopes.count - 1]
    moved.evaluations = state.evaluations.map { $0 + slopes.count - 1 }
    let weights = DormandPrincePair.weights[slopes.count - 1]
    for (index, integral) in state.integrals.enumerated() {
      let change = Self.weighted(slopes, weights, estimate: index)
      moved.integrals[index] = zip(integral, change).map { $0 + h * $1 }
    }
    return (moved, errors(of: slopes, h: h, like: state))
  }

  private func errors(of slopes: [Slope], h: Double, like state: State) -> [Double] {
    let batch = state.labels.count
    let dimension = Double(state.z.count / batch)
    let terms = zip(DormandPrincePair.error, slopes).filter { $0.0 != 0 }
    let difference = Tensor.linearCombination(terms.map { (h * $0.0, $0.1.z) })
    let squares = difference.innerProducts(difference).doubles
    let count = state.integrals.count
    let densities = (0..<count).map { Self.weighted(slopes, DormandPrincePair.error, estimate: $0) }
    return (0..<batch).map { sample in
      let mean = densities.reduce(0) { $0 + $1[sample] } / Double(count)
      return max((squares[sample] / dimension).squareRoot(), abs(h * mean) / dimension)
    }
  }

  private static func weighted(
    _ slopes: [Slope], _ weights: [Double], estimate: Int
  ) -> [Double] {
    slopes[0].divergences[estimate].indices.map { sample in
      zip(weights, slopes).reduce(0) { $0 + $1.0 * $1.1.divergences[estimate][sample] }
    }
  }
}
