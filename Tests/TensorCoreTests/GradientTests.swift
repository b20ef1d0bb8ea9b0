import TensorCore
import TestSupport
import Testing

/// Every differentiable operation against central differences in float64.
@Suite struct GradientTests {
  @Test(arguments: DifferentiableOperation.allCases)
  func pullbackAgreesWithCentralDifferences(_ operation: DifferentiableOperation) {
    let checks = gradientChecks(for: operation)
    #expect(!checks.isEmpty)
    for check in checks { check.run() }
  }
}

/// The checks of an operation. The switch is exhaustive on purpose: a new operation does not compile without one.
func gradientChecks(for operation: DifferentiableOperation) -> [GradientCheck] {
  switch operation {
  case .add, .subtract, .multiply, .divide, .powerOfTensors, .maximum, .minimum, .scale, .select:
    arithmeticGradientChecks(operation)
  case .exp, .log, .sqrt, .power, .tanh, .sigmoid, .silu, .relu, .leakyReLU, .softplus,
    .gelu, .geluTanh, .geluQuick, .erf, .clamp, .magnitude:
    [unaryGradientCheck(operation)]
  case .gatedGELU:
    [
      GradientCheck("gated GELU", [Sample.uniform([3, 10], seed: 5, low: -2, high: 2)]) {
        $0[0].gatedGELU()
      }
    ]
  case .linearCombination: linearCombinationGradientChecks()
  case .sum, .max: reductionGradientChecks(operation)
  case .cholesky, .solve, .triangularSolve, .symmetricEigen, .innerProducts:
    linearAlgebraGradientChecks(operation)
  case .matrixProduct, .linear, .softmax, .logSoftmax, .crossEntropy, .embedding, .attention:
    contractionGradientChecks(operation)
  case .reshape, .permute, .concatenate, .slice, .pad, .convert: shapeGradientChecks(operation)
  case .groupNorm: groupNormGradientChecks()
  case .layerNorm: layerNormGradientChecks()
  case .rmsNorm: rmsNormGradientChecks()
  case .convolution: convolutionGradientChecks()
  case .transposedConvolution: transposedConvolutionGradientChecks()
  case .averagePool, .maxPool: poolingGradientChecks(operation)
  case .resampleNearest, .resampleBilinear, .resampleBinomial:
    resamplingGradientChecks(operation)
  case .activationCheckpoint: checkpointGradientChecks()
  }
}
