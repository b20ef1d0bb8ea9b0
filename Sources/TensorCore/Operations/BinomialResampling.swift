import CTensorKernels

// Halving and doubling pictures `[batch, height, width, channels]` through the binomial filter (1, 3, 3, 1), zeros around
// the picture: the FIR resampling of StyleGAN2 (Karras et al. 2020) that NCSN++ uses (Song et al. 2021, appendix H.2).
// Each is, up to a factor of 4, the transpose of the other.

extension Tensor {
  /// Half the height and width, which are even: row `i` is `(x[2i - 1] + 3 x[2i] + 3 x[2i + 1] + x[2i + 2]) / 8`, and the
  /// columns likewise. `[batch, height, width, channels]` gives `[batch, height / 2, width / 2, channels]`.
  public func halvedBinomially() -> Tensor {
    require(
      rank == 4 && shape[1] % 2 == 0 && shape[2] % 2 == 0, "halvedBinomially",
      "the input must be [batch, height, width, channels] of even height and width, got \(shape)")
    return binomiallyHalved(scale: 1.0 / 64).recorded(as: .resampleBinomial, from: [self]) {
      gradient, _ in [gradient.binomiallyDoubled(scale: 1.0 / 64)]
    }
  }

  /// Twice the height and width: row `2i` is `(x[i - 1] + 3 x[i]) / 4`, row `2i + 1` is `(3 x[i] + x[i + 1]) / 4`, and the
  /// columns likewise. `[batch, height, width, channels]` gives `[batch, 2 height, 2 width, channels]`.
  public func doubledBinomially() -> Tensor {
    require(
      rank == 4, "doubledBinomially",
      "the input must be [batch, height, width, channels], got \(shape)")
    return binomiallyDoubled(scale: 1.0 / 16).recorded(as: .resampleBinomial, from: [self]) {
      gradient, _ in [gradient.binomiallyHalved(scale: 1.0 / 16)]
    }
  }

  /// Sums of 16 pixels with the integer weights times `scale`.
  private func binomiallyHalved(scale: Double) -> Tensor {
    let outer = Tensor.zeros([shape[3]], dtype: dtype)
    let x = detached
    return x.rowWise([shape[0], shape[1] / 2, shape[2] / 2, shape[3]]) { sample, row, target in
      tk_binomial_halve(
        dtype.kernelType, x.shape[1], x.shape[2], x.shape[3], row, scale, x.picture(sample),
        outer.readAddress, target)
    }
  }

  /// Sums of 4 pixels with the integer weights times `scale`.
  private func binomiallyDoubled(scale: Double) -> Tensor {
    let outer = Tensor.zeros([shape[3]], dtype: dtype)
    let x = detached
    return x.rowWise([shape[0], 2 * shape[1], 2 * shape[2], shape[3]]) { sample, row, target in
      tk_binomial_double(
        dtype.kernelType, x.shape[1], x.shape[2], x.shape[3], row, scale, x.picture(sample),
        outer.readAddress, target)
    }
  }

  private func picture(_ sample: Int) -> UnsafeRawPointer {
    readAddress + sample * shape[1] * shape[2] * shape[3] * dtype.size
  }
}
