extension Tensor {
  /// Root-mean-square normalisation over the last axis, `x [..., channels]`:
  /// `y = x / sqrt(mean(x^2) + epsilon) * weight` (Zhang and Sennrich, "Root Mean Square Layer Normalization",
  /// equation 4).
  ///
  /// - Parameters:
  ///   - weight: `[channels]`; `nil` for ones.
  ///   - epsilon: added to the mean square.
  public func rmsNormalized(weight: Tensor? = nil, epsilon: Double = 1e-6) -> Tensor {
    let norm = RowNorm("rmsNormalized", self, [weight], centered: false, epsilon: epsilon)
    let (x, w) = (detached, weight?.detached ?? norm.constant(1))
    let result = norm.forward(x, w, norm.constant(0))
    return result.recorded(as: .rmsNorm, from: [self, weight ?? w]) { gradient, needed in
      let (dx, dw, _) = norm.backward(x, w, gradient)
      return [needed[0] ? dx : nil, needed[1] ? dw : nil]
    }
  }
}
