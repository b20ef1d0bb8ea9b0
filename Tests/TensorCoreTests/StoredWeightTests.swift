import TensorCore
import Testing

/// Weights in 16 bits serve as they are: the result has the bytes that the widened weights give.
@Suite struct StoredWeightTests {
  private func values(_ shape: [Int], seed: UInt64) -> Tensor {
    var draws = CounterGenerator(seed: seed)
    return Tensor.randomNormal(shape, using: &draws)
  }

  private static let types = [DType.float16, .bfloat16]

  @Test(
    arguments: types, [[1, 3, 5], [7, 32, 33], [77, 768, 96], [200, 350, 1], [64, 1280, 320]])
  func ofLinearLayers(_ dtype: DType, _ lengths: [Int]) {
    let x = values([lengths[0], lengths[1]], seed: 1)
    let weight = values([lengths[2], lengths[1]], seed: 2).converted(to: dtype)
    let bias = values([lengths[2]], seed: 3)
    let expected = x.linear(weight.converted(to: .float32), bias)
    #expect(x.linear(weight, bias).floats == expected.floats)
  }

  /// Blocks serve linear layers, of few rows and of many, also where a block of the inner dimension begins within one (3072 is cut
  /// into tenths of 308).
  @Test(
    arguments: [
      [1, 32, 5], [7, 64, 33], [77, 768, 96], [400, 352, 1], [310, 3072, 40], [5, 3072, 13],
    ])
  func inBlocksOfLinearLayers(_ lengths: [Int]) {
    let x = values([lengths[0], lengths[1]], seed: 1)
    let weight = values([lengths[2], lengths[1]], seed: 2).converted(to: .q8_0)
    let bias = values([lengths[2]], seed: 3)
    let widened = weight.converted(to: .float32)
    #expect(x.linear(weight, bias).floats == x.linear(widened, bias).floats)
    #expect(weight.byteCount == lengths[1] * lengths[2] / 32 * 34)
    // Products in bfloat16 round what was widened.
    Backend.$products.withValue(.bfloat16) {
      let expected = x.linear(widened.converted(to: .bfloat16), bias)
      if Backend.hasBFloat16 { #expect(x.linear(weight, bias).floats == expected.floats) }
    }
  }

  @Test(
    arguments: types,
    [ConvolutionRoute.im2col, .winograd4, .winograd2, .direct1x1, .automatic])
  func ofConvolutions(_ dtype: DType, _ route: ConvolutionRoute) {
    let kernel = route == .direct1x1 ? 1 : 3
    for (side, channels, outputs) in [(5, 3, 17), (8, 40, 70), (13, 64, 3)] {
      let x = values([2, side, side, channels], seed: 1)
      let weights = values([kernel, kernel, channels, outputs], seed: 2).converted(to: dtype)
      let bias = values([outputs], seed: 3)
      func convolved(_ weights: Tensor) -> [Float] {
        x.convolved(with: weights, bias: bias, padding: Padding(kernel / 2), route: route).floats
      }
      #expect(convolved(weights) == convolved(weights.converted(to: .float32)))
    }
  }

  /// Few tiles and much weight: the route whose weights are transformed block by block.
  @Test(arguments: types) func ofConvolutionsWithFewTiles(_ dtype: DType) {
    let x = values([1, 8, 8, 320], seed: 1)
    let weights = values([3, 3, 320, 320], seed: 2).converted(to: dtype)
    let padding = Padding(1)
    #expect(
      x.convolved(with: weights, padding: padding).floats
        == x.convolved(with: weights.converted(to: .float32), padding: padding).floats)
  }

  @Test func ofStridedAndGroupedConvolutionsAndEmbeddings() {
    let x = values([1, 9, 9, 12], seed: 1)
    let weights = values([3, 3, 4, 30], seed: 2).converted(to: .float16)
    func convolved(_ weights: Tensor) -> [Float] {
      x.convolved(with: weights, stride: (2, 2), padding: Padding(1), groups: 3).floats
    }
    #expect(convolved(weights) == convolved(weights.converted(to: .float32)))
    let table = values([10, 6], seed: 3).converted(to: .bfloat16)
    #expect(
      table.embedding([3, 3, 9]).floats
        == table.converted(to: .float32).embedding([3, 3, 9]).floats)
  }

  /// Gradients reach what such a layer is applied to.
  @Test func passGradientsOn() {
    let (x, weight) = (values([6, 8], seed: 1), values([5, 8], seed: 2).converted(to: .float16))
    let (picture, kernel) = (
      values([1, 6, 6, 4], seed: 3), values([3, 3, 4, 5], seed: 4).converted(to: .float16)
    )
    func gradients(_ weight: Tensor, _ kernel: Tensor) -> [[Float]] {
      let tape = Tape()
      let (a, b) = (tape.watch(x, name: "x"), tape.watch(picture, name: "picture"))
      let y = a.linear(weight).sum() + b.convolved(with: kernel).sum()
      return tape.gradients(of: y, withRespectTo: [a, b]).map(\.floats)
    }
    #expect(
      gradients(weight, kernel)
        == gradients(weight.converted(to: .float32), kernel.converted(to: .float32)))
  }
}
