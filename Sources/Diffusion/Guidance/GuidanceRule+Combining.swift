import TensorCore

extension GuidanceRule {
  /// The guided estimate at `x`; its variance is the strong one's.
  ///
  /// Directions that the estimates name are not looked at: bound estimates after guiding, not before.
  func combined(
    strong: Estimate, weak: Tensor, of x: Tensor, at level: NoiseLevel,
    memory: inout GuidanceMemory
  ) -> Estimate {
    var guided: Tensor
    if let projection {
      guided = projected(strong.denoised, weak, projection, &memory)
    } else {
      guided = Tensor.linearCombination([(scale, strong.denoised), (1 - scale, weak)])
    }
    if let rescale, rescale.share != 0 {
      guided = rescale.applied(to: guided, like: strong.denoised, of: x, at: level)
    }
    return Estimate(
      denoised: guided, direction: keepsWeakDirection ? weak : nil, variance: strong.variance)
  }

  private func projected(
    _ strong: Tensor, _ weak: Tensor, _ projection: GuidanceProjection,
    _ memory: inout GuidanceMemory
  ) -> Tensor {
    var terms = [(1.0, strong), (-1.0, weak)]
    if projection.momentum != 0, let last = memory.difference {
      terms.append((projection.momentum, last))
    }
    let difference = Tensor.linearCombination(terms)
    if projection.momentum != 0 { memory.difference = difference.detached }
    let squares = difference.innerProducts(difference).doubles
    let kept = squares.map { square in
      projection.largestNorm.map { min(1, $0 / square.squareRoot()) } ?? 1
    }
    let own = strong.innerProducts(strong).doubles
    let along = zip(difference.innerProducts(strong).doubles, own).map { $1 > 0 ? $0 / $1 : 0 }
    // Kept d, of which the share c along D_strong is multiplied by `parallel`: k (d + (parallel - 1) c D_strong).
    return Tensor.linearCombination(perSample: [
      (zip(kept, along).map { 1 + (scale - 1) * $0 * (projection.parallel - 1) * $1 }, strong),
      (kept.map { (scale - 1) * $0 }, difference),
    ])
  }
}

extension GuidanceRescale {
  /// In terms of clean data the network's quantity is proportional to `D - skip x`, with `skip` as in
  /// `data x0 + noise epsilon`, so that it is rescaled as `D' = skip x + k (D - skip x)`.
  fileprivate func applied(
    to guided: Tensor, like strong: Tensor, of x: Tensor, at level: NoiseLevel
  ) -> Tensor {
    let target = quantity.target(at: level)
    let skip = target.noise / (level.signal * target.noise - level.noise * target.data)
    require(
      skip.isFinite, "guidance rescale",
      "\(quantity.name) says nothing of the data at \(level): rescale the velocity")
    func spread(_ denoised: Tensor) -> [Double] {
      let answer = skip == 0 ? denoised : Tensor.linearCombination([(1, denoised), (-skip, x)])
      let axes = Array(1..<answer.rank)
      return answer.variance(axes: axes).doubles.map { $0.squareRoot() }
    }
    let factors = zip(spread(strong), spread(guided)).map { wanted, found in
      found > 0 ? share * wanted / found + 1 - share : 1
    }
    return Tensor.linearCombination(perSample: [
      (factors, guided), (factors.map { (1 - $0) * skip }, x),
    ])
  }
}
