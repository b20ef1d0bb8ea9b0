import TensorCore
import TestSupport
import Testing

/// A sample's bytes depend neither on its batch mates nor on the threads; weight gradients not on the threads.
@Suite(.serialized) struct ConvolutionDeterminismTests {
  static let cases: [(ConvolutionCase, ConvolutionRoute)] = [
    (.init(input: [8, 7, 7, 40], weights: [3, 3, 40, 36], padding: Padding(1)), .winograd4),
    (.init(input: [8, 7, 7, 40], weights: [3, 3, 40, 36], padding: Padding(1)), .winograd2),
    (.init(input: [8, 9, 7, 40], weights: [3, 3, 40, 36], stride: (2, 2)), .im2col),
    (.init(input: [8, 5, 5, 300], weights: [1, 1, 300, 36]), .direct1x1),
  ]

  @Test(arguments: cases.indices)
  func bytesDependOnlyOnTheSample(_ index: Int) {
    let (convolution, route) = Self.cases[index]
    let x = convolution.x.converted(to: .float32)
    let w = convolution.w.converted(to: .float32)
    func forward(_ x: Tensor) -> [Float] {
      x.convolved(with: w, stride: convolution.stride, padding: convolution.padding, route: route)
        .floats
    }
    func backward(_ x: Tensor) -> (input: [Float], weights: [Float]) {
      let tape = Tape()
      let (a, b) = (tape.watch(x), tape.watch(w))
      let y = a.convolved(
        with: b, stride: convolution.stride, padding: convolution.padding, route: route)
      let seed = y.detached
      let gradients = tape.gradients(of: y, seed: seed, withRespectTo: [a, b])
      return (gradients[0].floats, gradients[1].floats)
    }
    let whole = forward(x)
    let gradients = backward(x)
    let (length, inLength) = (whole.count / 8, gradients.input.count / 8)
    for sample in 0..<8 {
      let single = x.sliced(axis: 0, sample..<sample + 1)
      #expect(forward(single) == Array(whole[sample * length..<(sample + 1) * length]))
      let part = gradients.input[sample * inLength..<(sample + 1) * inLength]
      #expect(backward(single).input == Array(part))
    }
    let rotated = Tensor.concatenated(
      [x.sliced(axis: 0, 3..<8), x.sliced(axis: 0, 0..<3)], axis: 0)
    #expect(forward(rotated) == Array(whole[(3 * length)...] + whole[..<(3 * length)]))
    let threads = Backend.threads
    defer { Backend.threads = threads }
    for count in [1, 2, 3, 8] {
      Backend.threads = count
      #expect(forward(x) == whole)
      let again = backward(x)
      #expect(again.input == gradients.input && again.weights == gradients.weights)
    }
  }

  @Test func bytesDoNotDependOnHowTheWorkIsCut() {
    // 4 tiles are cut by output channels, 520 by tiles.
    let x = Sample.uniform([130, 8, 8, 256], seed: 1).converted(to: .float32)
    let w = Sample.uniform([3, 3, 256, 256], seed: 2).converted(to: .float32)
    let whole = x.convolved(with: w, padding: Padding(1), route: .winograd4)
    let single = x.sliced(axis: 0, 129..<130)
      .convolved(with: w, padding: Padding(1), route: .winograd4)
    #expect(single.floats == whole.sliced(axis: 0, 129..<130).floats)
  }
}
