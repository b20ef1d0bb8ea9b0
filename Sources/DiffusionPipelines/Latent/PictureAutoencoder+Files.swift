import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

extension PictureAutoencoder {
  /// Which half is to be used: a tiny autoencoder's may be alone in a file.
  public enum Half: Sendable {
    case encoding
    case decoding
  }

  /// Reads the autoencoder of a latent model (any layout), an autoencoder's own folder, or a file: of a variational one under
  /// any names, of a tiny one under diffusers' names, or one half of a tiny one under its authors'.
  ///
  /// - Parameters:
  ///   - half: what it is to do; a half that is not asked for need not be there.
  ///   - notes: gets a line for everything that was found and left aside.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public init(
    path: String, for half: Half, notes: inout [String]
  ) throws(PipelineError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .noModel(
        path: path, problem: "no such file or folder; give the path of an autoencoder or a model")
    }
    let hasConfiguration = FileManager.default.fileExists(atPath: path + "/config.json")
    if isFolder.boolValue, hasConfiguration {
      self = try Self.folder(PartFolder(path: path, variant: nil), &notes)
    } else if isFolder.boolValue, FileManager.default.fileExists(atPath: path + "/vae") {
      self = try Self.folder(PartFolder(path: path + "/vae", variant: nil), &notes)
    } else if try LatentModel.isLatentModel(path) {
      self = .variational(try Self.variational(LatentParts(path: path, notes: &notes).autoencoder))
    } else if !isFolder.boolValue {
      self = try Self.file(path, half, &notes)
    } else {
      throw .noModel(
        path: path,
        problem: "expected a model's folder, or an autoencoder's with config.json, found neither")
    }
  }

  /// The class that a configuration was written by.
  private struct Kind: Decodable {
    let name: String?
    let type: String?
    private enum CodingKeys: String, CodingKey {
      case name = "_class_name"
      case type = "model_type"
    }
  }

  private static func folder(
    _ folder: PartFolder, _ notes: inout [String]
  ) throws(PipelineError) -> PictureAutoencoder {
    var unread: [String] = []
    let kind = try folder.configuration(Kind.self, known: [], notes: &unread)
    var unset = ParameterInitializer.unset
    switch kind.name ?? kind.type ?? "no _class_name" {
    case "AutoencoderKL":
      return .variational(try variational(LatentParts.autoencoder(folder, &notes)))
    case "VQModel":
      let configuration = try folder.configuration(
        AutoencoderConfiguration.self, known: AutoencoderConfiguration.keys, notes: &notes)
      return .quantized(
        try loaded(VQAutoencoder(configuration, initializer: &unset), try folder.parameters()))
    case "AutoencoderTiny":
      let configuration = try folder.configuration(
        TinyAutoencoderConfiguration.self, known: TinyAutoencoderConfiguration.keys, notes: &notes)
      return .tiny(
        try loaded(TinyAutoencoder(configuration, initializer: &unset), try folder.parameters()))
    case let other:
      throw .noModel(
        path: folder.path,
        problem: "expected an AutoencoderKL, VQModel or AutoencoderTiny, found \(other)")
    }
  }

  private static func file(
    _ path: String, _ half: Half, _ notes: inout [String]
  ) throws(PipelineError) -> PictureAutoencoder {
    let source: any CheckpointSource
    do throws(CheckpointError) {
      source = try openCheckpoint(path: path)
    } catch {
      throw .model(.checkpoint(error))
    }
    var unset = ParameterInitializer.unset
    if let configuration = TinyAutoencoderConfiguration(shapesOf: source) {
      return .tiny(try loaded(TinyAutoencoder(configuration, initializer: &unset), source))
    }
    if let (configuration, found) = TinyAutoencoderConfiguration.half(shapesOf: source) {
      var autoencoder = TinyAutoencoder(configuration, initializer: &unset)
      guard (found == .encoder) == (half == .encoding) else {
        throw .noModel(
          path: path,
          problem: "it is the half of a tiny autoencoder that "
            + (found == .encoder
              ? "encodes; give the decoder's file" : "decodes; give the encoder's file")
        )
      }
      do throws(CheckpointError) {
        switch found {
        case .encoder: try autoencoder.loadEncoder(from: source)
        case .decoder: try autoencoder.loadDecoder(from: source)
        }
      } catch {
        throw .model(.checkpoint(error))
      }
      return .tiny(autoencoder)
    }
    notes.append("\(path): latents are scaled by 0.18215, as Stable Diffusion's are")
    return .variational(
      try variational(LatentParts.autoencoder(at: path, like: .stableDiffusion, &notes)))
  }

  private static func variational(
    _ part: LatentParts.Part<AutoencoderConfiguration>
  ) throws(PipelineError) -> KLAutoencoder {
    var unset = ParameterInitializer.unset
    return try loaded(KLAutoencoder(part.configuration, initializer: &unset), part.source)
  }

  private static func loaded<M: Module>(
    _ module: M, _ source: any CheckpointSource
  ) throws(PipelineError) -> M {
    var module = module
    do throws(CheckpointError) {
      try module.load(from: source)
    } catch {
      throw .model(.checkpoint(error))
    }
    return module
  }
}
