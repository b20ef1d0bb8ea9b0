import CTensorKernels

// Arithmetic of two tensors of one element type, with NumPy's broadcasting, and of a tensor and a number.

extension Tensor {
  /// The sum.
  public static func + (lhs: Tensor, rhs: Tensor) -> Tensor {
    let (a, b) = (lhs.detached, rhs.detached)
    return combined("add", TK_ADD, a, b).recorded(as: .add, from: [lhs, rhs]) { gradient, needed in
      [
        needed[0] ? gradient.summed(to: a.shape) : nil,
        needed[1] ? gradient.summed(to: b.shape) : nil,
      ]
    }
  }

  /// The difference.
  public static func - (lhs: Tensor, rhs: Tensor) -> Tensor {
    let (a, b) = (lhs.detached, rhs.detached)
    return combined("subtract", TK_SUBTRACT, a, b)
      .recorded(as: .subtract, from: [lhs, rhs]) { gradient, needed in
        [
          needed[0] ? gradient.summed(to: a.shape) : nil,
          needed[1] ? (-gradient).summed(to: b.shape) : nil,
        ]
      }
  }

  /// The product, element by element.
  public static func * (lhs: Tensor, rhs: Tensor) -> Tensor {
    let (a, b) = (lhs.detached, rhs.detached)
    return combined("multiply", TK_MULTIPLY, a, b)
      .recorded(as: .multiply, from: [lhs, rhs]) { gradient, needed in
        [
          needed[0] ? (gradient * b).summed(to: a.shape) : nil,
          needed[1] ? (gradient * a).summed(to: b.shape) : nil,
        ]
      }
  }

  /// The quotient, element by element.
  public static func / (lhs: Tensor, rhs: Tensor) -> Tensor {
    let (a, b) = (lhs.detached, rhs.detached)
    let quotient = combined("divide", TK_DIVIDE, a, b)
    return quotient.recorded(as: .divide, from: [lhs, rhs]) { gradient, needed in
      let share = gradient / b
      return [
        needed[0] ? share.summed(to: a.shape) : nil,
        needed[1] ? (-(share * quotient)).summed(to: b.shape) : nil,
      ]
    }
  }

  /// `self` to the power of `exponent`, element by element; the gradient asks for a positive base.
  public func power(_ exponent: Tensor) -> Tensor {
    let (a, b) = (detached, exponent.detached)
    let y = Tensor.combined("power", TK_POWER_OF, a, b)
    return y.recorded(as: .powerOfTensors, from: [self, exponent]) { gradient, needed in
      [
        needed[0] ? (gradient * b * a.power(b - 1)).summed(to: a.shape) : nil,
        needed[1] ? (gradient * y * a.log()).summed(to: b.shape) : nil,
      ]
    }
  }

  /// The larger of two elements; where they are equal the gradient goes to the first.
  public static func maximum(_ lhs: Tensor, _ rhs: Tensor) -> Tensor {
    extremum("maximum", TK_MAXIMUM, losing: TK_LESS, .maximum, lhs, rhs)
  }

  /// The smaller of two elements; where they are equal the gradient goes to the first.
  public static func minimum(_ lhs: Tensor, _ rhs: Tensor) -> Tensor {
    extremum("minimum", TK_MINIMUM, losing: TK_GREATER, .minimum, lhs, rhs)
  }

  private static func extremum(
    _ name: String, _ code: TKBinary, losing: TKBinary, _ operation: DifferentiableOperation,
    _ lhs: Tensor, _ rhs: Tensor
  ) -> Tensor {
    let (a, b) = (lhs.detached, rhs.detached)
    return combined(name, code, a, b).recorded(as: operation, from: [lhs, rhs]) {
      gradient, needed in
      let fromSecond = combined(name, losing, a, b)
      return [
        needed[0] ? (gradient * (1 - fromSecond)).summed(to: a.shape) : nil,
        needed[1] ? (gradient * fromSecond).summed(to: b.shape) : nil,
      ]
    }
  }

  /// `scale * x + shift`, in one pass.
  public func scaled(by scale: Double, plus shift: Double = 0) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let (type, size) = (dtype.kernelType, dtype.size)
    let (source, target) = (readAddress, result.freshAddress)
    Backend.prepare()
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_affine(type, range.count, scale, shift, source + start, target + start)
    }
    withExtendedLifetime(self) {}
    return result.recorded(as: .scale, from: [self]) { gradient, _ in [gradient.scaled(by: scale)] }
  }

  /// The negative.
  public static prefix func - (x: Tensor) -> Tensor { x.scaled(by: -1) }
  /// A number added to every element.
  public static func + (x: Tensor, number: Double) -> Tensor { x.scaled(by: 1, plus: number) }
  /// A number added to every element.
  public static func + (number: Double, x: Tensor) -> Tensor { x.scaled(by: 1, plus: number) }
  /// A number taken from every element.
  public static func - (x: Tensor, number: Double) -> Tensor { x.scaled(by: 1, plus: -number) }
  /// Every element taken from a number.
  public static func - (number: Double, x: Tensor) -> Tensor { x.scaled(by: -1, plus: number) }
  /// Every element times a number.
  public static func * (x: Tensor, number: Double) -> Tensor { x.scaled(by: number) }
  /// Every element times a number.
  public static func * (number: Double, x: Tensor) -> Tensor { x.scaled(by: number) }
  /// Every element divided by a number (as a product with its reciprocal).
  public static func / (x: Tensor, number: Double) -> Tensor { x.scaled(by: 1 / number) }
  /// A number divided by every element.
  public static func / (number: Double, x: Tensor) -> Tensor {
    Tensor(number, dtype: x.dtype) / x
  }
}
