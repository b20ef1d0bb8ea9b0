import TensorCore

/// A GGUF file (versions 2 and 3), mapped into memory.
///
/// Tensors of float32, float64, float16 and bfloat16 are read without a copy; they keep the mapping alive. Quantised ones
/// (Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K) are widened to float32 by ``tensor(named:)``, or stay as they are
/// in ``elements(named:)`` and are widened some rows at a time. Shapes are outermost axis first, the other way round than
/// in the file. The file is not to be changed meanwhile (replace it by renaming).
public struct GGUFFile: CheckpointSource {
  /// Where the file is.
  public let path: String
  /// The key-value pairs.
  public let values: [String: GGUFValue]
  private let file: MappedFile
  private let records: [GGUFHeader.Record]
  private let indices: [TensorName: Int]

  /// Opens the file at `path`. Throws ``CheckpointError/file(path:operation:reason:)`` where it cannot be read and
  /// ``CheckpointError/malformed(path:reason:)`` where it is not whole, not in the format, or quantised in a way that is
  /// not read.
  public init(path: String) throws(CheckpointError) {
    try self.init(MappedFile(path: path))
  }

  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    path = file.path
    do throws(FormatFault) {
      let header = try GGUFHeader(file.bytes)
      values = header.values
      records = header.records
    } catch {
      throw error.error(path: file.path, format: "GGUF file")
    }
    indices = Dictionary(
      records.enumerated().map { (TensorName($1.entry.name), $0) }, uniquingKeysWith: { $1 })
  }

  /// The key-value pairs as text; long arrays are only counted.
  public var metadata: [String: String] { values.mapValues(\.description) }

  /// Every tensor, in the order of the directory.
  public var entries: [CheckpointEntry] { records.map(\.entry) }

  /// What the file says of the tensor of this name; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    indices[TensorName(name)].map { records[$0].entry }
  }

  /// The tensor of this name; widened to float32 where it is quantised.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    try elements(named: name).tensor()
  }

  /// The elements of the tensor of this name where they are in the file.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard let index = indices[TensorName(name)] else { throw .missing(path: path, name: name) }
    let record = records[index]
    return StoredElements(
      record.entry, path: path, bytes: UnsafeRawBufferPointer(rebasing: file.bytes[record.bytes]),
      owner: file)
  }
}
