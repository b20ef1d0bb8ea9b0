import TensorCore

/// A file that PyTorch's `torch.save` wrote (`.pt`, `.pth`, `.ckpt`, `.bin`), in the zip format or the older one.
///
/// Its pickle is read as data: names that are not on a list of what tensors need are refused
/// (``CheckpointError/refused(path:global:)``) and nothing is ever executed. Tensors of float32, float64, float16 and
/// bfloat16 are read without a copy where they are dense, uncompressed and aligned in the file; they keep the mapping
/// alive. The file is not to be changed meanwhile (replace it by renaming).
///
/// Dictionaries within dictionaries give names with dots between. Where the outermost one has a `state_dict`, as
/// Lightning writes it, the tensors are those within, without that prefix; an optimizer's beside it are passed over.
/// Plain values of dictionaries (`epoch`, `global_step`) are the metadata.
public struct TorchFile: CheckpointSource {
  /// Where the file is.
  public let path: String
  /// Plain values that were stored beside the tensors, as text.
  public let metadata: [String: String]
  private let file: MappedFile
  private let tensors: [StridedTensor]
  private let indices: [TensorName: Int]

  /// Opens the file at `path`. Throws ``CheckpointError/file(path:operation:reason:)`` where it cannot be read,
  /// ``CheckpointError/malformed(path:reason:)`` where it is not whole or not in the format, and
  /// ``CheckpointError/refused(path:global:)`` where its pickle asks for what is not data.
  public init(path: String) throws(CheckpointError) {
    try self.init(MappedFile(path: path))
  }

  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    path = file.path
    do throws(FormatFault) {
      let content = try TorchContent(file.bytes)
      let found = try TorchTensors(content)
      metadata = found.metadata
      var tensors: [StridedTensor] = []
      for (name, tensor) in found.tensors {
        tensors.append(try StridedTensor(tensor, named: name, in: content))
      }
      self.tensors = tensors
    } catch {
      throw error.error(path: file.path, format: "PyTorch file")
    }
    indices = Dictionary(
      tensors.enumerated().map { (TensorName($1.entry.name), $0) }, uniquingKeysWith: { $1 })
  }

  /// Every tensor, in the order of the pickle.
  public var entries: [CheckpointEntry] { tensors.map(\.entry) }

  /// What the file says of the tensor of this name; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    indices[TensorName(name)].map { tensors[$0].entry }
  }

  /// The tensor of this name, in its stored type and layout.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    try elements(named: name).tensor()
  }

  /// The elements of the tensor of this name, row-major and little-endian: where they are in the file if it has them so,
  /// and otherwise in memory of their own.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard let index = indices[TensorName(name)] else { throw .missing(path: path, name: name) }
    let tensor = tensors[index]
    let storage = try storage(tensor)
    if tensor.isDense && !tensor.isSwapped {
      let end = tensor.byteOffset + tensor.byteCount
      let bytes =
        tensor.byteCount == 0
        ? UnsafeRawBufferPointer(start: nil, count: 0)
        : UnsafeRawBufferPointer(rebasing: storage.bytes[tensor.byteOffset..<end])
      return StoredElements(tensor.entry, path: path, bytes: bytes, owner: storage.owner)
    }
    let dense = try MappedFile(path: path, count: tensor.byteCount) { target in
      tensor.gather(from: storage.bytes, into: target)
    }
    withExtendedLifetime(storage.owner) {}
    return StoredElements(tensor.entry, path: path, bytes: dense.bytes, owner: dense)
  }

  private func storage(
    _ tensor: StridedTensor
  ) throws(CheckpointError) -> (bytes: UnsafeRawBufferPointer, owner: MappedFile) {
    switch tensor.place {
    case .mapped(let range): return (UnsafeRawBufferPointer(rebasing: file.bytes[range]), file)
    case .deflated(let member):
      let source = UnsafeRawBufferPointer(rebasing: file.bytes[member.place])
      let inflated = try MappedFile(path: path, count: member.size) {
        target throws(CheckpointError) in
        do throws(FormatFault) {
          try Inflate.fill(target, from: source)
          guard Inflate.checksum(UnsafeRawBufferPointer(target)) == member.checksum else {
            throw FormatFault("the checksum of \(quoted(member.name)) is another")
          }
        } catch {
          throw error.error(path: path, format: "PyTorch file")
        }
      }
      return (inflated.bytes, inflated)
    }
  }
}
