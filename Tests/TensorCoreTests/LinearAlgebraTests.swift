import TensorCore
import TestSupport
import Testing

@Suite struct LinearAlgebraTests {
  static let types: [(DType, Double)] = [(.float32, 1e-4), (.float64, 1e-12)]

  private func random(_ shape: [Int], _ seed: UInt64, _ dtype: DType) -> Tensor {
    Sample.uniform(shape, seed: seed).converted(to: dtype)
  }

  @Test(arguments: types)
  func choleskyFactorsGiveTheMatrixBack(_ dtype: DType, _ tolerance: Double) throws {
    let x = random([3, 6, 9], 111, dtype)
    let a = x.matmul(x, transposeB: true)
    let factor = try a.cholesky()
    expectClose(factor.matmul(factor, transposeB: true), a, tolerance: tolerance)
    #expect(factor.doubles[1] == 0)
    #expect(try Tensor([4.0, 2, 2, 10], shape: [2, 2]).cholesky().doubles == [2, 0, 1, 3])
  }

  @Test(arguments: types)
  func eigenvectorsKeepTheirDirection(_ dtype: DType, _ tolerance: Double) throws {
    let x = random([2, 7, 7], 112, dtype)
    let a = x + x.transposed
    let (values, vectors) = try a.symmetricEigen()
    expectClose(a.matmul(vectors), vectors * values.expanded(at: 1), tolerance: tolerance)
    expectClose(
      vectors.matmul(vectors, transposeA: true),
      Tensor.identity(7, dtype: dtype).broadcasted(to: [2, 7, 7]), tolerance: tolerance)
    #expect(zip(values.doubles[0..<6], values.doubles[1..<7]).allSatisfy { $0 <= $1 })
    expectClose(
      try Tensor([2.0, 1, 1, 2], shape: [2, 2]).symmetricEigen().values, Tensor([1.0, 3]),
      tolerance: 1e-15)
  }

  @Test(arguments: types)
  func singularValuesGiveTheMatrixBack(_ dtype: DType, _ tolerance: Double) throws {
    for shape in [[2, 5, 8], [2, 8, 5], [4, 4]] {
      let a = random(shape, 113, dtype)
      let (u, values, v) = try a.singularValues()
      expectClose((u * values.expanded(at: -2)).matmul(v), a, tolerance: tolerance)
      #expect(zip(values.doubles[0..<3], values.doubles[1..<4]).allSatisfy { $0 >= $1 })
    }
    let diagonal = Tensor([0.0, 3, -4, 0], shape: [2, 2])
    expectClose(try diagonal.singularValues().values, Tensor([4.0, 3]), tolerance: 1e-15)
  }

  @Test(arguments: types)
  func solutionsSolve(_ dtype: DType, _ tolerance: Double) throws {
    let a = random([3, 1, 6, 6], 114, dtype) + Tensor.identity(6, dtype: dtype) * 3
    let b = random([2, 6, 4], 115, dtype)
    let x = try a.solve(b)
    #expect(x.shape == [3, 2, 6, 4])
    expectClose(a.matmul(x), b.broadcasted(to: [3, 2, 6, 4]), tolerance: tolerance)
    let vector = random([6], 116, dtype)
    let one = a.sliced(axis: 0, 0..<1).reshaped([6, 6])
    expectClose(one.matmul(try one.solve(vector)), vector, tolerance: tolerance)
    let mask = Tensor((0..<36).map { $0 % 6 <= $0 / 6 ? 1.0 : 0 }, shape: [6, 6])
    let lower = one * mask.converted(to: dtype)
    let y = try one.triangularSolve(b)
    expectClose(lower.matmul(y), b, tolerance: tolerance)
    let z = try one.triangularSolve(b, transposed: true)
    expectClose(lower.matmul(z, transposeA: true), b, tolerance: tolerance)
  }

  @Test(arguments: types)
  func leastSquaresLeaveARestAtRightAngles(_ dtype: DType, _ tolerance: Double) throws {
    let (a, b) = (random([2, 9, 4], 117, dtype), random([2, 9, 3], 118, dtype))
    let answer = try a.leastSquares(b)
    let rest = a.matmul(answer.solution) - b
    expectClose(
      a.matmul(rest, transposeA: true) + 1, .ones([2, 4, 3], dtype: dtype), tolerance: tolerance)
    #expect(answer.ranks == [4, 4])
    // Fewer equations than unknowns: the solution of least norm solves them and lies in the rows' span.
    let wide = a.transposed
    let least = try wide.leastSquares(b.sliced(axis: 1, 0..<4))
    expectClose(wide.matmul(least.solution), b.sliced(axis: 1, 0..<4), tolerance: tolerance)
    #expect(least.solution.shape == [2, 9, 3])
    let flat = Tensor([1.0, 2, 2, 4, 3, 6], shape: [3, 2]).converted(to: dtype)
    let deficient = try flat.leastSquares(Tensor.ones([3, 1], dtype: dtype))
    #expect(deficient.ranks == [1])
    expectClose(
      deficient.solution, Tensor([6.0 / 70, 12.0 / 70], shape: [2, 1]), tolerance: 1e-6)
  }

  @Test func whatCannotBeDoneIsNamed() {
    let indefinite = Tensor([1.0, 0, 0, 1, 1, 2, 2, 1], shape: [2, 2, 2])
    #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 2, matrix: 1)) {
      try indefinite.cholesky()
    }
    let singular = Tensor([1.0, 2, 2, 4], shape: [2, 2])
    #expect(throws: LinearAlgebraError.singular(pivot: 1, matrix: 0)) {
      try singular.solve(Tensor([1.0, 1]))
    }
    #expect(throws: LinearAlgebraError.singular(pivot: 1, matrix: 0)) {
      try Tensor([1.0, 2, 2, 0], shape: [2, 2]).triangularSolve(.ones([2, 1], dtype: .float64))
    }
    let bad = Tensor([1.0, .nan, 0, 1], shape: [2, 2])
    #expect(throws: LinearAlgebraError.notFinite(operation: "symmetricEigen")) {
      try bad.symmetricEigen()
    }
    #expect(throws: LinearAlgebraError.notFinite(operation: "singularValues")) {
      try bad.singularValues()
    }
    #expect(throws: LinearAlgebraError.notFinite(operation: "leastSquares")) {
      try bad.leastSquares(bad)
    }
    #expect(
      "\(LinearAlgebraError.singular(pivot: 1, matrix: 0))"
        == "solve: matrix 0 is singular, the pivot in row 1 is zero; use leastSquares")
  }
}
