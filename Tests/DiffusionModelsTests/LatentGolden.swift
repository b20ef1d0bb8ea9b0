import DiffusionImages
import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// One file of Tests/Golden/latent: a small network of the reference with inputs and full outputs; see make_latent.py.
struct LatentGolden {
  let file: SafetensorsFile
  private let configuration: Data

  init(_ name: String) throws {
    file = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("latent/\(name).safetensors").path)
    configuration = Data(try #require(file.metadata["configuration"]).utf8)
  }

  /// The configuration, or the part of it under a key.
  func configuration<C: Decodable>(_ type: C.Type, under key: String? = nil) throws -> C {
    guard let key else { return try JSONDecoder().decode(type, from: configuration) }
    let all = try JSONSerialization.jsonObject(with: configuration) as? [String: Any]
    let part = try JSONSerialization.data(withJSONObject: try #require(all?[key]))
    return try JSONDecoder().decode(type, from: part)
  }

  /// The weights, under the reference's names.
  var weights: some CheckpointSource {
    get throws {
      try MappedCheckpoint(
        CheckpointPart(file, under: "model."),
        map: KeyMap(prefixes: [KeyMap.Prefix("model.", "")]))
    }
  }

  /// A tensor as it is.
  func tensor(_ name: String) throws -> Tensor { try file.tensor(named: name) }

  /// A picture, channels last.
  func picture(_ name: String) throws -> Tensor {
    try file.tensor(named: name).permuted([0, 2, 3, 1])
  }

  /// Texts by their tokens.
  func texts() throws -> [[Int]] {
    let tokens = try tensor("tokens")
    let width = tokens.shape[1]
    let values = tokens.doubles.map { Int($0) }
    return stride(from: 0, to: values.count, by: width).map {
      Array(values[$0..<$0 + width])
    }
  }
}

/// The picture of a PNG file as `[1, height, width, 3]` in -1...1.
func pixels(_ path: String) throws -> Tensor {
  let image = try PNGFile(reading: path).image.converted(toChannels: 3)
  return Tensor(
    image.samples.map { Float($0) / 127.5 - 1 }, shape: [1, image.height, image.width, 3])
}
