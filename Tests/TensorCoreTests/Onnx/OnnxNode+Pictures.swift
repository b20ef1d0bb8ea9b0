import TensorCore

/// One window of a convolution or pooling along one axis.
private struct Axis {
  let length: Int
  let kernel: Int
  let stride: Int
  let dilation: Int
  var before: Int
  var after: Int

  var extent: Int { (kernel - 1) * dilation + 1 }
}

extension OnnxNode {
  func runPicture() throws -> [OnnxValue]? {
    let operations = ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "Resize"]
    guard operations.contains(operation) else { return nil }
    let x = try tensor(0)
    guard x.rank == 3 || x.rank == 4 else {
      throw OnnxUnsupported("the engine has pictures of two dimensions, not of \(x.rank - 2)")
    }
    if operation == "Resize" { return [OnnxValue(tensor: try resize())] }
    if outputCount > 1 {
      throw OnnxUnsupported("the engine's pooling does not give the places of the largest")
    }
    let isInteger = try value(0).isInteger
    let result = try windowed(Self.picture(x))
    return [OnnxValue(tensor: Self.channelsFirst(result, rank: x.rank), isInteger: isInteger)]
  }

  /// `[batch, channels, (height,) width]` as `[batch, height, width, channels]`.
  private static func picture(_ x: Tensor) -> Tensor {
    (x.rank == 3 ? x.expanded(at: 2) : x).permuted([0, 2, 3, 1])
  }

  private static func channelsFirst(_ x: Tensor, rank: Int) -> Tensor {
    let result = x.permuted([0, 3, 1, 2])
    return rank == 3 ? result.reshaped([result.shape[0], result.shape[1], -1]) : result
  }

  /// Rows and columns; a line is a picture of one row.
  private func axes(_ x: Tensor, kernel: [Int]) -> [Axis] {
    func pair(_ list: [Int]?) -> [Int] {
      guard let list else { return [1, 1] }
      return list.count == 1 ? [1, list[0]] : list
    }
    let pads = list("pads") ?? [0, 0, 0, 0]
    let four = pads.count == 2 ? [0, pads[0], 0, pads[1]] : pads
    let (strides, dilations, kernel) = (
      pair(list("strides")), pair(list("dilations")), pair(kernel)
    )
    return (0..<2).map { index in
      var axis = Axis(
        length: x.shape[1 + index], kernel: kernel[index], stride: strides[index],
        dilation: dilations[index], before: four[index], after: four[index + 2])
      let mode = text("auto_pad", "NOTSET")
      if mode.hasPrefix("SAME") && operation != "ConvTranspose" {
        let out = (axis.length + axis.stride - 1) / axis.stride
        let total = max(0, (out - 1) * axis.stride + axis.extent - axis.length)
        axis.before = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        axis.after = total - axis.before
      }
      return axis
    }
  }

  private func windowed(_ x: Tensor) throws -> Tensor {
    let isConvolution = operation.hasPrefix("Conv")
    var weights: Tensor?
    if isConvolution {
      let stored = try tensor(1)
      weights = (stored.rank == 3 ? stored.expanded(at: 2) : stored).permuted([2, 3, 1, 0])
    }
    let kernel = weights.map { Array($0.shape[..<2]) } ?? list("kernel_shape") ?? []
    let axes = axes(x, kernel: kernel)
    let stride = (axes[0].stride, axes[1].stride)
    let dilation = (axes[0].dilation, axes[1].dilation)
    let padding = Padding(
      top: axes[0].before, bottom: axes[0].after, left: axes[1].before, right: axes[1].after)
    let size = (axes[0].kernel, axes[1].kernel)
    let bias = isConvolution && has(2) ? try tensor(2) : nil
    switch (operation, weights) {
    case ("Conv", .some(let weights)):
      return x.convolved(
        with: weights, bias: bias, stride: stride, padding: padding, dilation: dilation,
        groups: integer("group", 1))
    case ("ConvTranspose", .some(let weights)):
      return transposed(x, weights, bias, axes)
    case ("MaxPool", _):
      return x.maxPooled(
        size, stride: stride, padding: padding, dilation: dilation,
        roundsUp: integer("ceil_mode", 0) == 1)
    default:
      return x.averagePooled(
        size, stride: stride, padding: padding, dilation: dilation,
        roundsUp: integer("ceil_mode", 0) == 1,
        countsPadding: integer("count_include_pad", 0) == 1)
    }
  }

  private func transposed(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, _ axes: [Axis]
  ) -> Tensor {
    var (axes, extra) = (axes, list("output_padding") ?? [0, 0])
    if extra.count == 1 { extra = [0, extra[0]] }
    let isUpper = text("auto_pad", "NOTSET") == "SAME_UPPER"
    for (index, axis) in axes.enumerated() {
      let wanted =
        list("output_shape").map { $0[$0.count - 2 + index] }
        ?? (isUpper ? axis.length * axis.stride : nil)
      guard let wanted else { continue }
      let total = axis.stride * (axis.length - 1) + extra[index] + axis.extent - wanted
      if total < 0 { extra[index] -= total }
      axes[index].before = isUpper ? max(0, total) / 2 : (max(0, total) + 1) / 2
      axes[index].after = max(0, total) - axes[index].before
    }
    return x.transposeConvolved(
      with: weights, bias: bias, stride: (axes[0].stride, axes[1].stride),
      padding: Padding(
        top: axes[0].before, bottom: axes[0].after, left: axes[1].before, right: axes[1].after),
      outputPadding: (extra[0], extra[1]), dilation: (axes[0].dilation, axes[1].dilation),
      groups: integer("group", 1))
  }

  private func resize() throws -> Tensor {
    let x = try tensor(0)
    let coordinates = text("coordinate_transformation_mode", "half_pixel")
    if text("mode", "nearest") == "cubic" || integer("antialias", 0) == 1 {
      throw OnnxUnsupported("bicubic and antialiased resizing are for pictures, not tensors")
    }
    var size = Array(x.shape[2...])
    let axes = list("axes") ?? Array(0..<x.rank)
    for (place, axis) in axes.enumerated() where axis >= 2 {
      if has(3) { size[axis - 2] = try integers(3)[place] }
      guard !has(3), has(2) else { continue }
      let length = Double(x.shape[axis]) * (try tensor(2).doubles[place])
      if length != length.rounded() { throw OnnxUnsupported("the engine resizes by whole sizes") }
      size[axis - 2] = Int(length)
    }
    if text("keep_aspect_ratio_policy", "stretch") != "stretch" {
      throw OnnxUnsupported("the engine resizes to the size that is asked for")
    }
    let picture = Self.picture(x)
    if text("mode", "nearest") == "linear" {
      guard ["half_pixel", "align_corners"].contains(coordinates) else {
        throw OnnxUnsupported("the engine has no bilinear resizing by \(coordinates)")
      }
      return Self.channelsFirst(
        picture.resampledBilinear(
          to: (size[0], size[1]), alignsCorners: coordinates == "align_corners"), rank: 4)
    }
    let isWhole = zip(size, x.shape[2...]).allSatisfy { $0 % $1 == 0 }
    guard coordinates == "half_pixel", !text("nearest_mode", "round_prefer_floor").contains("ceil"),
      isWhole
    else { throw OnnxUnsupported("the engine's nearest pixel is PyTorch's, not this one") }
    return Self.channelsFirst(picture.resampledNearest(to: (size[0], size[1])), rank: 4)
  }
}
