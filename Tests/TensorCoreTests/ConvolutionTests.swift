import TensorCore
import TestSupport
import Testing

/// One convolution to try.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var input: [Int]
  var weights: [Int]
  var stride = (1, 1)
  var padding = Padding.none
  var dilation = (1, 1)
  var groups = 1
  var testDescription: String {
    "\(input) by \(weights), stride \(stride), \(padding), dilation \(dilation), groups \(groups)"
  }
  var x: Tensor { Sample.uniform(input, seed: 1) }
  var w: Tensor { Sample.uniform(weights, seed: 2) }
  var bias: Tensor { Sample.uniform([weights[3]], seed: 3) }

  func run(_ dtype: DType, _ route: ConvolutionRoute) -> Tensor {
    x.converted(to: dtype).convolved(
      with: w.converted(to: dtype), bias: bias.converted(to: dtype), stride: stride,
      padding: padding, dilation: dilation, groups: groups, route: route)
  }

  var expected: Tensor {
    ConvolutionOracle.convolved(
      x, w, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }

  /// What the tape gives for x, w and the bias under a fixed seed.
  func gradients(_ dtype: DType, _ route: ConvolutionRoute) -> [Tensor] {
    let tape = Tape()
    let variables = [x, w, bias].map { tape.watch($0.converted(to: dtype)) }
    let y = variables[0].convolved(
      with: variables[1], bias: variables[2], stride: stride, padding: padding, dilation: dilation,
      groups: groups, route: route)
    let seed = Sample.uniform(y.shape, seed: 4).converted(to: dtype)
    return tape.gradients(of: y, seed: seed, withRespectTo: variables)
  }

  static let any: [ConvolutionCase] = [
    .init(input: [2, 5, 6, 3], weights: [3, 3, 3, 4], padding: Padding(1)),
    .init(input: [1, 7, 5, 2], weights: [3, 2, 2, 5], stride: (2, 1)),
    .init(
      input: [2, 8, 9, 4], weights: [3, 3, 4, 18], stride: (2, 2),
      padding: Padding(bottom: 1, right: 1)),
    .init(
      input: [1, 9, 8, 3], weights: [2, 3, 3, 7], stride: (3, 2),
      padding: Padding(top: 2, bottom: 0, left: 1, right: 3), dilation: (2, 3)),
    .init(input: [2, 6, 6, 6], weights: [3, 3, 2, 9], padding: Padding(1), groups: 3),
    .init(input: [1, 6, 7, 5], weights: [3, 3, 1, 5], padding: Padding(1), groups: 5),
    .init(input: [1, 6, 7, 4], weights: [3, 3, 1, 8], stride: (2, 2), groups: 4),
    .init(input: [3, 4, 4, 19], weights: [1, 1, 19, 33]),
    .init(input: [1, 4, 4, 6], weights: [1, 1, 6, 3], stride: (2, 2)),
    .init(input: [1, 17, 13, 70], weights: [3, 3, 70, 21], padding: Padding(1)),
    .init(input: [2, 4, 4, 150], weights: [1, 1, 150, 40]),
    .init(input: [1, 1, 1, 1], weights: [3, 3, 1, 1], padding: Padding(1)),
    .init(input: [1, 3, 3, 2], weights: [2, 2, 2, 3], padding: Padding(3)),
  ]

  static let winograd: [ConvolutionCase] = [
    .init(input: [2, 8, 8, 16], weights: [3, 3, 16, 32], padding: Padding(1)),
    .init(input: [3, 7, 5, 5], weights: [3, 3, 5, 7], padding: Padding(1)),
    .init(input: [1, 14, 11, 70], weights: [3, 3, 70, 37], padding: Padding(1)),
    .init(input: [2, 9, 10, 3], weights: [3, 3, 3, 130]),
    .init(
      input: [1, 6, 6, 4], weights: [3, 3, 4, 6],
      padding: Padding(top: 2, bottom: 0, left: 1, right: 2)),
    .init(input: [1, 1, 1, 3], weights: [3, 3, 3, 2], padding: Padding(1)),
    .init(input: [1, 30, 30, 8], weights: [3, 3, 8, 8], padding: Padding(1)),
    // Enough weights for them to be transformed block by block.
    .init(input: [1, 6, 5, 256], weights: [3, 3, 256, 260], padding: Padding(1)),
  ]
}

@Suite struct ConvolutionTests {
  @Test(arguments: ConvolutionCase.any)
  func im2colAgreesWithTheDefinition(_ convolution: ConvolutionCase) {
    let expected = convolution.expected
    expectClose(convolution.run(.float64, .im2col), expected, tolerance: 1e-13)
    expectClose(convolution.run(.float32, .im2col), expected, tolerance: 2e-6)
    expectClose(convolution.run(.float64, .automatic), expected, tolerance: 1e-13)
  }

  @Test(arguments: ConvolutionCase.winograd)
  func winogradAgreesWithTheDefinition(_ convolution: ConvolutionCase) {
    let expected = convolution.expected
    expectClose(convolution.run(.float64, .winograd4), expected, tolerance: 1e-12)
    expectClose(convolution.run(.float64, .winograd2), expected, tolerance: 1e-13)
    expectClose(convolution.run(.float32, .winograd4), expected, tolerance: 1e-5)
    expectClose(convolution.run(.float32, .winograd2), expected, tolerance: 5e-6)
  }

  @Test(arguments: ConvolutionCase.winograd)
  func winogradsGradientsAgreeWithIm2col(_ convolution: ConvolutionCase) {
    let expected = convolution.gradients(.float64, .im2col)
    for route in [ConvolutionRoute.winograd4, .winograd2, .automatic] {
      for (index, gradient) in convolution.gradients(.float64, route).enumerated() {
        expectClose(gradient, expected[index], tolerance: 1e-12, "\(route), operand \(index)")
      }
      for (index, gradient) in convolution.gradients(.float32, route).enumerated() {
        expectClose(gradient, expected[index], tolerance: 1e-5, "\(route), operand \(index)")
      }
    }
  }

  @Test func pointwiseRouteAgreesWithIm2col() {
    let convolution = ConvolutionCase(input: [2, 5, 7, 33], weights: [1, 1, 33, 65])
    let direct = convolution.run(.float32, .direct1x1)
    expectClose(direct, convolution.expected, tolerance: 2e-6)
  }

  @Test func roundingOfWinogradIsBounded() {
    // design.md, section 3: at 320 channels F(4x4, 3x3) with these points has 3.9 times direct float32's rms.
    let convolution = ConvolutionCase(
      input: [1, 8, 8, 320], weights: [3, 3, 320, 16], padding: Padding(1))
    let expected = convolution.expected.doubles
    func rms(_ route: ConvolutionRoute) -> Double {
      let values = convolution.run(.float32, route).doubles
      let squares = zip(values, expected).map { ($0 - $1) * ($0 - $1) }
      return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
    #expect(rms(.winograd4) < 6 * rms(.im2col))
    #expect(rms(.winograd2) < 3 * rms(.im2col))
  }

  struct TransposedCase: Sendable {
    var input: [Int]
    var weights: [Int]
    var stride = (1, 1)
    var padding = Padding.none
    var outputPadding = (0, 0)
    var dilation = (1, 1)
    var groups = 1
  }

  @Test(arguments: [
    TransposedCase(input: [2, 3, 4, 5], weights: [3, 3, 4, 5]),
    TransposedCase(
      input: [1, 4, 3, 6], weights: [3, 2, 3, 6], stride: (2, 3),
      padding: Padding(top: 1, bottom: 0, left: 0, right: 1), outputPadding: (1, 2)),
    TransposedCase(
      input: [2, 4, 4, 6], weights: [4, 4, 2, 6], stride: (2, 2), padding: Padding(1), groups: 3),
    TransposedCase(
      input: [1, 5, 4, 2], weights: [3, 3, 3, 2], padding: Padding(1), outputPadding: (1, 1),
      dilation: (2, 2)),
    TransposedCase(input: [1, 9, 9, 16], weights: [3, 3, 24, 16], padding: Padding(1)),
  ])
  func transposedConvolutionAgreesWithTheDefinition(_ test: TransposedCase) {
    let (x, w) = (Sample.uniform(test.input, seed: 5), Sample.uniform(test.weights, seed: 6))
    let expected = ConvolutionOracle.transposeConvolved(
      x, w, stride: test.stride, padding: test.padding, outputPadding: test.outputPadding,
      dilation: test.dilation, groups: test.groups)
    for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-5)] {
      let y = x.converted(to: dtype).transposeConvolved(
        with: w.converted(to: dtype), stride: test.stride, padding: test.padding,
        outputPadding: test.outputPadding, dilation: test.dilation, groups: test.groups)
      expectClose(y, expected, tolerance: tolerance)
    }
  }
}
