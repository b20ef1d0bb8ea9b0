extension Tensor {
  /// A tensor of draws of N(`mean`, `deviation`²), in row-major order; `dtype` is one that computes.
  public static func randomNormal<Generator: RandomGenerator>(
    _ shape: [Int], dtype: DType = .float32, mean: Double = 0, deviation: Double = 1,
    using generator: inout Generator
  ) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    if dtype == .float64 {
      generator.fillNormal(result.freshElements(Double.self), mean: mean, deviation: deviation)
    } else {
      generator.fillNormal(result.freshElements(Float.self), mean: mean, deviation: deviation)
    }
    return result
  }

  /// A tensor of draws that are uniform in `low..<high`, in row-major order; `dtype` is one that computes.
  public static func randomUniform<Generator: RandomGenerator>(
    _ shape: [Int], dtype: DType = .float32, low: Double = 0, high: Double = 1,
    using generator: inout Generator
  ) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    if dtype == .float64 {
      generator.fillUniform(result.freshElements(Double.self), low: low, high: high)
    } else {
      generator.fillUniform(result.freshElements(Float.self), low: low, high: high)
    }
    return result
  }

  private func freshElements<Scalar: TensorScalar>(
    _ type: Scalar.Type
  ) -> UnsafeMutableBufferPointer<Scalar> {
    require(
      dtype == Scalar.dtype, "random tensor",
      "\(dtype.rawValue) only stores; draw float32 and convert it")
    return UnsafeMutableBufferPointer(
      start: freshAddress.assumingMemoryBound(to: Scalar.self), count: count)
  }
}
