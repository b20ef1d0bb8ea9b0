import TensorCore

/// A change that is the Kronecker product of a coarse matrix and a fine one (LoKr in LyCORIS, Yeh et al. 2023,
/// arXiv:2309.14859, section 3): block `(i, j)` is `coarse_ij fine`. Each may be of low rank itself; of a convolution, the fine
/// one has the kernel.
struct KroneckerLayer: WeightChange {
  /// `[coarse rows, coarse columns]`.
  private let coarse: Matrix
  /// `[fine rows, fine columns * kernel]`.
  private let fine: Matrix

  /// A matrix as a file has it.
  private enum Matrix {
    case whole(Tensor)
    /// `[rows, rank]`, `[rank, columns]`; with a core `[rank, rows]`, `[rank, columns]` and
    /// `[rank, rank, kernel height, kernel width]`.
    case factors(Tensor, Tensor, core: Tensor?)

    init?(_ whole: Tensor?, _ left: Tensor?, _ right: Tensor?, core: Tensor? = nil) {
      if let whole {
        self = .whole(whole)
      } else if let left, let right {
        self = .factors(left, right, core: core)
      } else {
        return nil
      }
    }

    var rank: Int? {
      if case .factors(_, let right, _) = self { right.shape[0] } else { nil }
    }

    /// With the kernel in the columns.
    var product: Tensor {
      switch self {
      case .whole(let tensor): tensor.reshaped([tensor.shape[0], tensor.count / tensor.shape[0]])
      case .factors(let left, let right, nil): left.matmul(right)
      case .factors(let left, let right, .some(let core)):
        Self.flat(KroneckerLayer.tucker(core, left.permuted([1, 0]), right))
      }
    }

    private static func flat(_ tensor: Tensor) -> Tensor {
      tensor.reshaped([tensor.shape[0], tensor.count / tensor.shape[0]])
    }
  }

  init?(_ parts: [AdapterRole: Tensor]) {
    guard
      let coarse = Matrix(parts[.coarse], parts[.coarseLeft], parts[.coarseRight]),
      let fine = Matrix(
        parts[.fine], parts[.fineLeft], parts[.fineRight], core: parts[.fineCore])
    else { return nil }
    (self.coarse, self.fine) = (coarse, fine)
  }

  var rank: Int? { coarse.rank ?? fine.rank }

  func product(_ shape: [Int]) -> Tensor {
    let (coarse, fine) = (coarse.product, fine.product)
    let outer = coarse.reshaped([coarse.count, 1]).matmul(fine.reshaped([1, fine.count]))
    return outer.reshaped(coarse.shape + fine.shape).permuted([0, 2, 1, 3]).reshaped(shape)
  }

  /// The coarse matrix says how a weight is divided; the largest that divides it is expected of one that does not.
  static func expected(
    _ weight: [Int], _ found: [AdapterRole: [Int]]
  ) -> [AdapterRole: [Int]] {
    func side(_ whole: AdapterRole, _ half: AdapterRole, _ axis: Int) -> Int {
      let shape = found[whole] ?? found[half] ?? []
      return greatestCommonDivisor(weight[axis], shape.count > axis ? shape[axis] : 1)
    }
    let (rows, columns) = (side(.coarse, .coarseLeft, 0), side(.coarse, .coarseRight, 1))
    let (fineRows, fineColumns) = (weight[0] / rows, weight[1] / columns)
    let kernel = Array(weight.dropFirst(2))
    let isOne = kernel.allSatisfy { $0 == 1 }
    var expected: [AdapterRole: [Int]] = [:]
    if found[.coarseLeft] != nil || found[.coarseRight] != nil, found[.coarse] == nil {
      let rank = found[.coarseRight]?.first ?? 0
      (expected[.coarseLeft], expected[.coarseRight]) = ([rows, rank], [rank, columns])
    } else {
      expected[.coarse] = [rows, columns]
    }
    let rank = found[.fineRight]?.first ?? 0
    if found[.fineCore] != nil {
      expected[.fineCore] = [rank, rank] + kernel
      (expected[.fineLeft], expected[.fineRight]) = ([rank, fineRows], [rank, fineColumns])
    } else if found[.fineLeft] != nil || found[.fineRight] != nil, found[.fine] == nil {
      expected[.fineLeft] = [fineRows, rank]
      expected[.fineRight] = [rank, kernel.reduce(fineColumns, *)]
    } else {
      let ones = found[.fine]?.count == 4 ? [1, 1] : []
      expected[.fine] = [fineRows, fineColumns] + (isOne ? ones : kernel)
    }
    return expected
  }
}

/// Euclid's; at least 1.
private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return max(a, 1)
}
