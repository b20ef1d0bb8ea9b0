/// Every operation that has a pullback.
///
/// The gradient test switches over this enumeration, so an operation that is recorded without a test does not
/// compile.
package enum DifferentiableOperation: String, CaseIterable, Sendable {
  // Arithmetic
  case add, subtract, multiply, divide, powerOfTensors, maximum, minimum, scale, select
  case linearCombination
  // Functions of one number
  case exp, log, sqrt, power, tanh, sigmoid, silu, relu, leakyReLU, softplus
  case gelu, geluTanh, geluQuick, gatedGELU, erf, clamp, magnitude
  // Reductions
  case sum, max
  // Contractions
  case matrixProduct, linear, softmax, logSoftmax, crossEntropy, embedding, attention
  // Linear algebra
  case cholesky, solve, triangularSolve, symmetricEigen, innerProducts
  // Shapes and types
  case reshape, permute, concatenate, slice, pad, convert
  // Normalisation
  case groupNorm, layerNorm, rmsNorm
  // Convolution and what goes with it
  case convolution, transposedConvolution, averagePool, maxPool
  case resampleNearest, resampleBilinear, resampleBinomial
  // Recomputation
  case activationCheckpoint
}
