import Foundation
import TensorCheckpoints
import TensorCore

/// The small single files of make_single_file.py: their weights are drawn here as there, tensor by tensor.
public enum SingleFileGolden {
  /// Where the listings are.
  public static let folder = Shared.golden.appendingPathComponent("single_file")

  /// Every tensor of a model under its original name.
  public static func tensors(_ model: String) throws -> [(name: String, tensor: Tensor)] {
    let path = folder.appendingPathComponent("\(model).tsv")
    let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
    return lines.enumerated().map { number, line in
      let fields = line.split(separator: "\t").map(String.init)
      let shape = fields[1].split(separator: "x").compactMap { Int($0) }
      var generator = TorchGenerator(seed: UInt64(number))
      let drawn = Tensor.randomNormal(shape, using: &generator)
      return (fields[0], drawn * (Double(fields[2]) ?? 0) + (Double(fields[3]) ?? 0))
    }
  }

  /// Writes a model as one safetensors file.
  public static func write(
    _ model: String, to path: String, adding others: [(name: String, tensor: Tensor)] = []
  ) throws {
    var writer = CheckpointWriter(metadata: ["format": "pt"])
    for (name, tensor) in try tensors(model) + others { writer.add(name, tensor) }
    try writer.write(to: path)
  }
}
