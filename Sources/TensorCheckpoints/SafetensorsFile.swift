import Foundation
import TensorCore

/// A safetensors file, mapped into memory and checked as strictly as the reference reader does.
///
/// Tensors of float32, float64, float16 and bfloat16 are read without a copy where their place in the file is aligned;
/// they keep the mapping alive. The file is not to be changed meanwhile (replace it by renaming).
public struct SafetensorsFile: CheckpointSource {
  /// Where the file is.
  public let path: String
  /// Texts that were stored beside the tensors.
  public let metadata: [String: String]
  private let file: MappedFile
  private let records: [SafetensorsHeader.Record]
  private let indices: [TensorName: Int]

  /// Opens the file at `path`. Throws ``CheckpointError/file(path:operation:reason:)`` where it cannot be read and
  /// ``CheckpointError/malformed(path:reason:)`` where it is not whole or not in the format.
  public init(path: String) throws(CheckpointError) {
    try self.init(MappedFile(path: path))
  }

  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    path = file.path
    do throws(FormatFault) {
      let header = try SafetensorsHeader(file.bytes)
      records = header.records
      metadata = header.metadata
    } catch {
      throw error.error(path: path, format: "safetensors file")
    }
    indices = Dictionary(
      records.enumerated().map { (TensorName($1.entry.name), $0) }, uniquingKeysWith: { $1 })
  }

  /// Every tensor, in the order of their bytes.
  public var entries: [CheckpointEntry] { records.map(\.entry) }

  /// What the file says of the tensor of this name; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    indices[TensorName(name)].map { records[$0].entry }
  }

  /// The tensor of this name, in its stored type and layout.
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

  /// Tells the system that the whole file will be read soon.
  public func willRead() { file.willRead() }
}
