import DiffusionModels
import Foundation
import TensorCheckpoints

/// A part of a model's folder, as diffusers and transformers write them: a configuration and a file of parameters.
struct PartFolder {
  /// Where it is.
  let path: String
  /// Which of several files of parameters, by what stands before the ending: `fp16`.
  let variant: String?

  private static let stems = ["diffusion_pytorch_model", "model", "pytorch_model"]
  private static let endings = ["safetensors", "bin"]

  /// Reads `config.json`, or another file; keys that `C` does not declare are noted.
  func configuration<C: Decodable>(
    _ type: C.Type, known: [String], file name: String = "config.json", notes: inout [String]
  ) throws(PipelineError) -> C {
    let file = path + "/" + name
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: file))
      let keys = (try JSONSerialization.jsonObject(with: data) as? [String: Any])?.keys.sorted()
      let passed = Set(known + ["architectures", "model_type", "torch_dtype", "dtype"])
      for key in keys ?? [] where !passed.contains(key) && !key.hasPrefix("_") {
        notes.append("\(file): key \(key) is not known, ignored")
      }
      return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
      throw .model(ModelLocation.modelError(error, file))
    } catch {
      throw .model(.file(path: file, problem: "cannot be read: \(error.localizedDescription)"))
    }
  }

  /// The parameters, in whatever format they are.
  func parameters() throws(PipelineError) -> any CheckpointSource {
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
    let infix = variant.map { ".\($0)" } ?? ""
    for ending in Self.endings {
      for stem in Self.stems {
        for name in ["\(stem)\(infix).\(ending)", "\(stem).\(ending).index\(infix).json"]
        where names.contains(name) {
          do throws(CheckpointError) {
            return try openCheckpoint(path: path + "/" + name)
          } catch {
            throw .model(.checkpoint(error))
          }
        }
      }
    }
    let files = names.sorted().filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".bin") }
    throw .noModel(
      path: path,
      problem: "expected \(Self.stems[0])\(infix).safetensors or its like, found "
        + (files.isEmpty ? "no parameters" : files.joined(separator: ", "))
        + (variant == nil ? "" : "; give another --variant"))
  }
}
