import TensorCore
import TestSupport

func linearCombinationGradientChecks() -> [GradientCheck] {
  let inputs = (1...8).map { Sample.uniform([3, 5], seed: UInt64($0)) }
  let factors = [0.7, -1.3, 2.1, 0.4, -0.9, 1.6, 0.2, -2.4]
  let plain = (1...8).map { count in
    GradientCheck("\(count) terms", Array(inputs[..<count])) { tensors in
      Tensor.linearCombination(tensors.indices.map { (factors[$0], tensors[$0]) })
    }
  }
  let perSample = GradientCheck("a factor a sample", Array(inputs[..<2])) { tensors in
    Tensor.linearCombination(perSample: [([1, -2, 0.5], tensors[0]), ([0.3, 0, 4], tensors[1])])
  }
  return plain + [perSample]
}
