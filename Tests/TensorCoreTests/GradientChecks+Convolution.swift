import TensorCore
import TestSupport

func convolutionGradientChecks() -> [GradientCheck] {
  let cases = [
    ConvolutionCase(input: [2, 4, 5, 3], weights: [3, 3, 3, 2], padding: Padding(1)),
    ConvolutionCase(
      input: [1, 6, 5, 4], weights: [2, 3, 2, 6], stride: (2, 1),
      padding: Padding(top: 0, bottom: 1, left: 2, right: 0), dilation: (1, 2), groups: 2),
    ConvolutionCase(input: [1, 5, 4, 3], weights: [3, 3, 1, 3], padding: Padding(1), groups: 3),
    ConvolutionCase(input: [2, 3, 3, 3], weights: [1, 1, 3, 4]),
    ConvolutionCase(input: [1, 4, 4, 2], weights: [2, 2, 2, 2], padding: Padding(2)),
  ]
  let general = cases.map { test in
    GradientCheck("convolution of \(test.testDescription)", [test.x, test.w, test.bias]) {
      $0[0].convolved(
        with: $0[1], bias: $0[2], stride: test.stride, padding: test.padding,
        dilation: test.dilation, groups: test.groups)
    }
  }
  let small = ConvolutionCase(input: [1, 5, 6, 2], weights: [3, 3, 2, 3], padding: Padding(1))
  let routed = [ConvolutionRoute.winograd4, .winograd2].map { route in
    GradientCheck("convolution by \(route)", [small.x, small.w]) {
      $0[0].convolved(with: $0[1], padding: Padding(1), route: route)
    }
  }
  return general + routed
}

func transposedConvolutionGradientChecks() -> [GradientCheck] {
  let (x, w) = (Sample.uniform([2, 3, 2, 4], seed: 5), Sample.uniform([3, 3, 3, 4], seed: 6))
  let bias = Sample.uniform([3], seed: 7)
  return [
    GradientCheck("transposed convolution", [x, w, bias]) {
      $0[0].transposeConvolved(with: $0[1], bias: $0[2])
    },
    GradientCheck("transposed convolution of stride 2", [x, w, Sample.uniform([6], seed: 8)]) {
      $0[0].transposeConvolved(
        with: $0[1], bias: $0[2], stride: (2, 2), padding: Padding(1), outputPadding: (1, 1),
        groups: 2)
    },
  ]
}

func poolingGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  let x = Sample.uniform([2, 5, 6, 3], seed: 9)
  let padding = Padding(top: 1, bottom: 0, left: 1, right: 1)
  if operation == .maxPool {
    return [
      GradientCheck("max pooling", [x]) { $0[0].maxPooled((2, 2)) },
      GradientCheck("max pooling of overlapping windows", [x]) {
        $0[0].maxPooled((3, 2), stride: (1, 2), padding: padding, dilation: (1, 2), roundsUp: true)
      },
    ]
  }
  return [true, false].map { counts in
    GradientCheck("average pooling", [x]) {
      $0[0].averagePooled(
        (3, 2), stride: (2, 2), padding: padding, roundsUp: true, countsPadding: counts)
    }
  }
}

func resamplingGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  let x = Sample.uniform([2, 3, 4, 2], seed: 10)
  if operation == .resampleNearest {
    return [
      GradientCheck("nearest, twice the size", [x]) { $0[0].upsampledNearest(by: 2) },
      GradientCheck("nearest, any size", [x]) { $0[0].resampledNearest(to: (5, 3)) },
    ]
  }
  if operation == .resampleBinomial {
    let even = Sample.uniform([2, 4, 6, 2], seed: 11)
    return [
      GradientCheck("binomial, half the size", [even]) { $0[0].halvedBinomially() },
      GradientCheck("binomial, twice the size", [x]) { $0[0].doubledBinomially() },
    ]
  }
  return [true, false].map { corners in
    GradientCheck("bilinear, corners aligned: \(corners)", [x]) {
      $0[0].resampledBilinear(to: (5, 3), alignsCorners: corners)
    }
  }
}
