import TensorCore

/// Convolution by its definition, in float64, for tests.
public enum ConvolutionOracle {
  /// y of `x` `[batch, height, width, in]` and `w` `[kh, kw, in / groups, out]`.
  public static func convolved(
    _ x: Tensor, _ w: Tensor, bias: Tensor? = nil, stride: (Int, Int) = (1, 1),
    padding: Padding = .none, dilation: (Int, Int) = (1, 1), groups: Int = 1
  ) -> Tensor {
    let (xs, ws, xv, wv) = (x.shape, w.shape, x.doubles, w.doubles)
    let height =
      (xs[1] + padding.top + padding.bottom - dilation.0 * (ws[0] - 1) - 1) / stride.0 + 1
    let width =
      (xs[2] + padding.left + padding.right - dilation.1 * (ws[1] - 1) - 1) / stride.1 + 1
    let (per, out) = (ws[2], ws[3])
    let shares = bias?.doubles ?? Array(repeating: 0, count: out)
    var y: [Double] = []
    for b in 0..<xs[0] {
      for i in 0..<height {
        for j in 0..<width {
          for o in 0..<out {
            var sum = shares[o]
            let first = o / (out / groups) * per
            for u in 0..<ws[0] {
              for v in 0..<ws[1] {
                let (r, s) = (
                  i * stride.0 - padding.top + u * dilation.0,
                  j * stride.1 - padding.left + v * dilation.1
                )
                if r < 0 || r >= xs[1] || s < 0 || s >= xs[2] { continue }
                for c in 0..<per {
                  sum +=
                    xv[((b * xs[1] + r) * xs[2] + s) * xs[3] + first + c]
                    * wv[((u * ws[1] + v) * per + c) * out + o]
                }
              }
            }
            y.append(sum)
          }
        }
      }
    }
    return Tensor(y, shape: [xs[0], height, width, out])
  }

  /// The transposed convolution of `x` `[batch, height, width, in]` and `w` `[kh, kw, out / groups, in]`: every input pixel
  /// adds its window to the result.
  public static func transposeConvolved(
    _ x: Tensor, _ w: Tensor, stride: (Int, Int) = (1, 1), padding: Padding = .none,
    outputPadding: (Int, Int) = (0, 0), dilation: (Int, Int) = (1, 1), groups: Int = 1
  ) -> Tensor {
    let (xs, ws, xv, wv) = (x.shape, w.shape, x.doubles, w.doubles)
    let height =
      (xs[1] - 1) * stride.0 - padding.top - padding.bottom + dilation.0 * (ws[0] - 1) + 1
      + outputPadding.0
    let width =
      (xs[2] - 1) * stride.1 - padding.left - padding.right + dilation.1 * (ws[1] - 1) + 1
      + outputPadding.1
    let (per, inPer) = (ws[2], xs[3] / groups)
    let out = per * groups
    var y = Array(repeating: 0.0, count: xs[0] * height * width * out)
    for b in 0..<xs[0] {
      for i in 0..<xs[1] {
        for j in 0..<xs[2] {
          for u in 0..<ws[0] {
            for v in 0..<ws[1] {
              let (r, s) = (
                i * stride.0 - padding.top + u * dilation.0,
                j * stride.1 - padding.left + v * dilation.1
              )
              if r < 0 || r >= height || s < 0 || s >= width { continue }
              for c in 0..<xs[3] {
                for o in 0..<per {
                  y[((b * height + r) * width + s) * out + c / inPer * per + o] +=
                    xv[((b * xs[1] + i) * xs[2] + j) * xs[3] + c]
                    * wv[((u * ws[1] + v) * per + o) * xs[3] + c]
                }
              }
            }
          }
        }
      }
    }
    return Tensor(y, shape: [xs[0], height, width, out])
  }
}
