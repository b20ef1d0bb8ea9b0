import TensorCore

extension OnnxNode {
  func runShape() throws -> [OnnxValue]? {
    guard let results = try shapeResults() else { return nil }
    let isInteger = operation == "Where" ? try value(1).isInteger : try value(0).isInteger
    return results.map { OnnxValue(tensor: $0, isInteger: isInteger) }
  }

  private func shapeResults() throws -> [Tensor]? {
    switch operation {
    case "Concat":
      return [
        Tensor.concatenated(try inputs.indices.map { try tensor($0) }, axis: integer("axis", 1))
      ]
    case "Split": return try split()
    case "Slice": return [try slice()]
    case "Reshape": return [try reshape()]
    case "Flatten":
      let (x, axis) = (try tensor(0), integer("axis", 1))
      return [x.reshaped([x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)])]
    case "Transpose":
      let x = try tensor(0)
      return [x.permuted(list("perm") ?? Array((0..<x.rank).reversed()))]
    case "Expand":
      let (x, shape) = (try tensor(0), try integers(1))
      return [x * Tensor.ones(shape, dtype: x.dtype)]
    case "Tile": return [try tile()]
    case "Squeeze":
      let x = try tensor(0)
      let axes = try list("axes", input: 1) ?? []
      return [x.reshaped(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })]
    case "Unsqueeze":
      return [(try list("axes", input: 1) ?? []).reduce(try tensor(0)) { $0.expanded(at: $1) }]
    case "Gather": return [try gather()]
    case "Pad": return [try pad()]
    case "Where":
      let (first, second) = (try tensor(1), try tensor(2))
      return [
        .selected(where: try tensor(0).converted(to: first.dtype), first, else: second)
      ]
    case "DepthToSpace", "SpaceToDepth": return [try moveBlocks()]
    default: return nil
    }
  }

  private func split() throws -> [Tensor] {
    let (x, axis) = (try tensor(0), integer("axis", 0))
    let length = x.shape[x.normalizedAxis(axis, "split")]
    if let lengths = try list("split", input: 1) { return x.split(axis: axis, lengths: lengths) }
    let parts = integer("num_outputs", outputCount)
    let step = (length + parts - 1) / parts
    let lengths = (0..<parts).map { max(0, min(step, length - $0 * step)) }
    return x.split(axis: axis, lengths: lengths)
  }

  private func slice() throws -> Tensor {
    var x = try tensor(0)
    let (starts, ends) = (
      try list("starts", input: 1) ?? [], try list("ends", input: 2) ?? []
    )
    let axes = try list("axes", input: 3) ?? Array(starts.indices)
    let steps = has(4) ? try integers(4) : Array(repeating: 1, count: starts.count)
    for (place, given) in axes.enumerated() {
      let axis = x.normalizedAxis(given, "slice")
      let (length, step) = (x.shape[axis], steps[place])
      let low = step < 0 ? -1 : 0
      let high = step < 0 ? length - 1 : length
      func bounded(_ index: Int) -> Int { min(max(index < 0 ? index + length : index, low), high) }
      let chosen = Array(stride(from: bounded(starts[place]), to: bounded(ends[place]), by: step))
      x =
        step == 1
        ? x.sliced(axis: axis, (chosen.first ?? 0)..<(chosen.last ?? -1) + 1)
        : Self.gathered(x, axis: axis, chosen)
    }
    return x
  }

  private func reshape() throws -> Tensor {
    let x = try tensor(0)
    let given = try list("shape", input: 1) ?? []
    if integer("allowzero", 0) == 1 { return x.reshaped(given) }
    return x.reshaped(given.enumerated().map { $1 == 0 ? x.shape[$0] : $1 })
  }

  private func tile() throws -> Tensor {
    var x = try tensor(0)
    for (axis, times) in try integers(1).enumerated() {
      x = Tensor.concatenated(Array(repeating: x, count: times), axis: axis)
    }
    return x
  }

  /// The elements at `indices` along `axis`, by the embedding look-up.
  static func gathered(_ x: Tensor, axis: Int, _ indices: [Int]) -> Tensor {
    var order = Array(0..<x.rank)
    order.insert(order.remove(at: axis), at: 0)
    let table = x.permuted(order)
    let rows = table.reshaped([table.shape[0], table.count / max(1, table.shape[0])])
      .embedding(indices)
      .reshaped([indices.count] + table.shape.dropFirst())
    var back = Array(1..<x.rank)
    back.insert(0, at: axis)
    return rows.permuted(back)
  }

  private func gather() throws -> Tensor {
    let (x, indices) = (try tensor(0), try integers(1))
    let axis = x.normalizedAxis(integer("axis", 0), "gather")
    let picked = Self.gathered(
      x, axis: axis, indices.map { $0 < 0 ? $0 + x.shape[axis] : $0 })
    return picked.reshaped(x.shape[..<axis] + (try tensor(1).shape) + x.shape[(axis + 1)...])
  }

  private func pad() throws -> Tensor {
    var x = try tensor(0)
    let pads = try list("pads", input: 1) ?? []
    let axes = has(3) ? try integers(3) : Array(0..<pads.count / 2)
    let fill = has(2) ? try tensor(2).item : number("value") ?? 0
    for (place, given) in axes.enumerated() {
      let axis = x.normalizedAxis(given, "pad")
      let (before, after, length) = (pads[place], pads[place + axes.count], x.shape[axis])
      if text("mode", "constant") == "constant" {
        x = x.padded(axis: axis, before: before, after: after, value: fill)
        continue
      }
      let indices = (-before..<length + after).map { index -> Int in
        switch text("mode", "constant") {
        case "edge": return min(max(index, 0), length - 1)
        case "wrap": return (index % length + length) % length
        default:
          let period = max(1, 2 * length - 2)
          let folded = (index % period + period) % period
          return folded < length ? folded : period - folded
        }
      }
      x = Self.gathered(x, axis: axis, indices)
    }
    return x
  }

  private func moveBlocks() throws -> Tensor {
    let (x, block) = (try tensor(0), integer("blocksize", 1))
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    if operation == "SpaceToDepth" {
      return x.reshaped([n, c, h / block, block, w / block, block]).permuted([0, 3, 5, 1, 2, 4])
        .reshaped([n, c * block * block, h / block, w / block])
    }
    let inner = c / (block * block)
    let moved =
      text("mode", "DCR") == "DCR"
      ? x.reshaped([n, block, block, inner, h, w]).permuted([0, 3, 4, 1, 5, 2])
      : x.reshaped([n, inner, block, block, h, w]).permuted([0, 1, 4, 2, 5, 3])
    return moved.reshaped([n, inner, h * block, w * block])
  }
}
