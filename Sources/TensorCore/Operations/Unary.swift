import CTensorKernels

/// A function of one number, with the numbers that shape it.
private struct ElementFunction: Sendable {
  let code: TKUnary
  let operation: DifferentiableOperation
  var alpha = 0.0
  var beta = 0.0
}

extension Tensor {
  /// `e^x`, element by element.
  public func exp() -> Tensor { applying(ElementFunction(code: TK_EXP, operation: .exp)) }

  /// The natural logarithm; not a number below 0, minus infinity at 0.
  public func log() -> Tensor { applying(ElementFunction(code: TK_LOG, operation: .log)) }

  /// The square root; not a number below 0.
  public func sqrt() -> Tensor { applying(ElementFunction(code: TK_SQRT, operation: .sqrt)) }

  /// `x^exponent`, as C's `pow`.
  public func power(_ exponent: Double) -> Tensor {
    if exponent == 2 { return self * self }
    return applying(ElementFunction(code: TK_POWER, operation: .power, alpha: exponent))
  }

  /// The hyperbolic tangent.
  public func tanh() -> Tensor { applying(ElementFunction(code: TK_TANH, operation: .tanh)) }

  /// `1 / (1 + e^-x)`.
  public func sigmoid() -> Tensor {
    applying(ElementFunction(code: TK_SIGMOID, operation: .sigmoid))
  }

  /// `x sigmoid(x)`, the sigmoid linear unit (Elfwing et al. 2017), also called swish.
  public func silu() -> Tensor { applying(ElementFunction(code: TK_SILU, operation: .silu)) }

  /// `max(x, 0)`.
  public func relu() -> Tensor { applying(ElementFunction(code: TK_RELU, operation: .relu)) }

  /// `x` where positive, else `slope x`.
  public func leakyReLU(slope: Double = 0.01) -> Tensor {
    applying(ElementFunction(code: TK_LEAKY_RELU, operation: .leakyReLU, alpha: slope))
  }

  /// `log(1 + e^x)`.
  public func softplus() -> Tensor {
    applying(ElementFunction(code: TK_SOFTPLUS, operation: .softplus))
  }

  /// The Gaussian error linear unit (Hendrycks and Gimpel 2016), in one of its three forms.
  public func gelu(_ form: GELU = .erf) -> Tensor {
    switch form {
    case .erf: applying(ElementFunction(code: TK_GELU, operation: .gelu))
    case .tanh: applying(ElementFunction(code: TK_GELU_TANH, operation: .geluTanh))
    case .quick: applying(ElementFunction(code: TK_GELU_QUICK, operation: .geluQuick))
    }
  }

  /// The error function, `2/sqrt(pi)` times the integral of `e^(-t^2)` from 0 to x.
  public func erf() -> Tensor { applying(ElementFunction(code: TK_ERF, operation: .erf)) }

  /// `x` held within `low...high`; the gradient is zero outside.
  public func clamped(_ low: Double = -.infinity, _ high: Double = .infinity) -> Tensor {
    require(low <= high, "clamped", "the lower bound \(low) is above the upper one \(high)")
    return applying(
      ElementFunction(code: TK_CLAMP, operation: .clamp, alpha: low, beta: high))
  }

  /// The magnitude; its gradient at 0 is 0.
  public func magnitude() -> Tensor {
    applying(ElementFunction(code: TK_ABS, operation: .magnitude))
  }

  private func applying(_ function: ElementFunction) -> Tensor {
    let x = detached
    let y = x.mapped(function)
    return y.recorded(as: function.operation, from: [self]) { gradient, _ in
      [gradient.pulledBack(through: function, x: x, y: y)]
    }
  }

  private func mapped(_ function: ElementFunction) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let (type, size) = (dtype.kernelType, dtype.size)
    let (source, target) = (readAddress, result.freshAddress)
    Backend.prepare()
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_unary(
        type, function.code, range.count, function.alpha, function.beta,
        source + start, target + start)
    }
    withExtendedLifetime(self) {}
    return result
  }

  private func pulledBack(through function: ElementFunction, x: Tensor, y: Tensor) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let (type, size) = (dtype.kernelType, dtype.size)
    let (g, xs, ys, target) = (readAddress, x.readAddress, y.readAddress, result.freshAddress)
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_unary_gradient(
        type, function.code, range.count, function.alpha, function.beta,
        g + start, xs + start, ys + start, target + start)
    }
    withExtendedLifetime((self, x, y)) {}
    return result
  }
}

/// The forms of the Gaussian error linear unit.
public enum GELU: String, Sendable, Codable {
  /// `x/2 (1 + erf(x / sqrt 2))`, exact.
  case erf
  /// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
  case tanh
  /// `x sigmoid(1.702 x)`, as OpenAI's CLIP has it.
  case quick
}
