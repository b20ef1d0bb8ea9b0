/// What memory a convolution takes beside its input, its weights and its result.
package enum ConvolutionScratch {
  /// Bytes at most of a float32 convolution of `input` `[batch, height, width, in]` with zeros of half the kernel around.
  package static func bytes(input: [Int], outputs: Int, kernel: Int, stride: Int = 1) -> Int {
    let geometry = ConvolutionGeometry(
      input: input, weights: [kernel, kernel, input[3], outputs], stride: (stride, stride),
      padding: Padding(kernel / 2), dilation: (1, 1), groups: 1, "convolution")
    let route = ConvolutionRoute.automatic.resolved(for: geometry)
    let elements =
      switch route {
      case .winograd2, .winograd4: WinogradConvolution(route, geometry).scratchElements
      case .im2col: UnfoldedConvolution.scratchElements(geometry)
      case .automatic, .direct1x1: 0
      }
    return elements * DType.float32.size
  }
}
