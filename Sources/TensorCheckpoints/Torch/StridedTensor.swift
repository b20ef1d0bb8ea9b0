/// A tensor whose place in the file has been checked: every element it can reach is there.
struct StridedTensor: Sendable {
  let entry: CheckpointEntry
  let place: TorchContent.Place
  /// The first element, from the start of the storage.
  let byteOffset: Int
  let byteCount: Int
  /// Whether the bytes of each number are the wrong way round.
  let isSwapped: Bool
  private let strides: [Int]
  private let elementSize: Int

  /// A tensor that repeats elements (by strides of zero) takes no more memory than this.
  private static let greatestExpansion = 1 << 30

  init(
    _ tensor: PickledTensor, named name: String, in content: TorchContent
  ) throws(FormatFault) {
    let label = "tensor \(quoted(name))"
    let storage = tensor.storage
    guard let place = content.places[TensorName(storage.key)] else {
      throw FormatFault("\(label) is in the storage \(quoted(storage.key)), which is not there")
    }
    let size = tensor.type.blockBits / 8
    let available = try Self.range(of: storage, in: place, elementSize: size)
    guard let byteCount = tensor.type.byteCount(tensor.shape) else {
      throw FormatFault("\(label): shape \(tensor.shape) overflows")
    }
    if byteCount > 0 {
      guard let last = Self.last(tensor), last < available.count else {
        throw FormatFault(
          "\(label) of shape \(tensor.shape), strides \(tensor.strides) and offset "
            + "\(tensor.offset) reaches beyond the \(available.count) elements of its storage")
      }
      guard byteCount <= max(available.count * size, Self.greatestExpansion) else {
        throw FormatFault("\(label) repeats elements to \(byteCount) bytes")
      }
    }
    entry = CheckpointEntry(name: name, type: tensor.type, shape: tensor.shape)
    self.place = place
    self.byteCount = byteCount
    byteOffset = byteCount == 0 ? 0 : (available.lowerBound + tensor.offset) * size
    isSwapped = content.isBigEndian && size > 1
    strides = tensor.strides
    elementSize = size
  }

  /// The elements of the place that belong to the storage.
  private static func range(
    of storage: PickledStorage, in place: TorchContent.Place, elementSize: Int
  ) throws(FormatFault) -> Range<Int> {
    let unit = (storage.type ?? .uint8).blockBits / 8
    guard storage.count <= place.size / unit else {
      throw FormatFault(
        "storage \(quoted(storage.key)) has \(place.size) bytes, expected \(storage.count) "
          + "elements of \(unit) bytes")
    }
    if storage.type != nil { return storage.view ?? 0..<storage.count }
    return 0..<storage.count / elementSize
  }

  /// The place of the last element; nil where the number overflows.
  private static func last(_ tensor: PickledTensor) -> Int? {
    var last = tensor.offset
    for (length, stride) in zip(tensor.shape, tensor.strides) {
      let (step, overflow) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, carry) = last.addingReportingOverflow(step)
      if overflow || carry { return nil }
      last = sum
    }
    return last
  }

  /// Whether the elements lie one behind the other in row-major order.
  var isDense: Bool {
    if byteCount == 0 { return true }
    var next = 1
    for (length, stride) in zip(entry.shape, strides).reversed() {
      if length != 1 && stride != next { return false }
      next *= length
    }
    return true
  }

  /// Writes the elements in row-major order, as little-endian numbers.
  func gather(from storage: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    guard byteCount > 0, let source = storage.baseAddress, let target = target.baseAddress else {
      return
    }
    var position = [Int](repeating: 0, count: entry.shape.count)
    var offset = byteOffset
    let count = byteCount / elementSize
    for index in 0..<count {
      (target + index * elementSize).copyMemory(from: source + offset, byteCount: elementSize)
      for axis in position.indices.reversed() {
        position[axis] += 1
        offset += strides[axis] * elementSize
        if position[axis] < entry.shape[axis] { break }
        offset -= strides[axis] * elementSize * entry.shape[axis]
        position[axis] = 0
      }
    }
    if isSwapped { swap(target) }
  }

  private func swap(_ target: UnsafeMutableRawPointer) {
    let isComplex = entry.type == .complex64 || entry.type == .complex128
    let width = isComplex ? elementSize / 2 : elementSize
    for start in stride(from: 0, to: byteCount, by: width) {
      var number = UnsafeMutableRawBufferPointer(start: target + start, count: width)
      number.reverse()
    }
  }
}
