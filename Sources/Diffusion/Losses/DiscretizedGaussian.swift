import TensorCore

/// The likelihood of 8-bit pixels under a Gaussian: what lies in the pixel's bin, 1/255 to either side, the outermost
/// bins reaching to infinity (Ho et al. 2020, equation 13). Pixels are `2 k / 255 - 1`.
///
/// The normal distribution function is `(1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2`, as in the authors' code: off by
/// up to 3e-4, but the bins' shares still add up to 1.
package enum DiscretizedGaussian {
  /// The logarithm (natural) of the likelihood of each element of `data`; the other two broadcast against it.
  package static func logLikelihood(
    of data: Tensor, mean: Tensor, logVariance: Tensor
  ) -> Tensor {
    let precision = (logVariance * -0.5).exp()
    let centered = data - mean
    let upper = argument(precision * (centered + 1 / 255))
    let lower = argument(precision * (centered - 1 / 255))
    // sigmoid(2 u) = (1 + tanh u) / 2, without its cancellation.
    let below = upper.sigmoid()
    let above = (-lower).sigmoid()
    let inside = below - lower.sigmoid()
    let share = Tensor.selected(
      where: data.less(than: Tensor(-0.999, dtype: data.dtype)), below,
      else: Tensor.selected(
        where: data.greater(than: Tensor(0.999, dtype: data.dtype)), above, else: inside))
    return share.clamped(1e-12, .infinity).log()
  }

  private static func argument(_ x: Tensor) -> Tensor {
    let factor = 2 * (2 / Double.pi).squareRoot()
    return (x + x * x * x * 0.044715) * factor
  }
}
