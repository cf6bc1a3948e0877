using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Compat.Tests;

/// <summary>The public surface of an assembly as lines of text: names, types, parameter names and defaults, which callers compile against.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    public static IEnumerable<string> Of(Assembly assembly) => assembly.GetExportedTypes().SelectMany(Of).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Of(Type type)
    {
        var name = FullName(type);
        var bases = type.GetInterfaces().Where(face => face.IsPublic && !(type.BaseType?.GetInterfaces().Contains(face) ?? false)
            && !type.GetInterfaces().Any(other => other != face && other.GetInterfaces().Contains(face))).Select(Name).Order(StringComparer.Ordinal).ToList();
        if (type is { IsClass: true, BaseType: { } parent } && parent != typeof(object))
        {
            bases.Insert(0, Name(parent));
        }
        yield return $"{Kind(type)} {name}{(bases.Count == 0 || type.IsEnum ? string.Empty : " : " + string.Join(", ", bases))}{Constraints(type.GetGenericArguments())}";
        if (type.IsEnum)
        {
            foreach (var value in Enum.GetValuesAsUnderlyingType(type))
            {
                yield return $"{name}.{Enum.GetName(type, value)} = {value}";
            }
            yield break;
        }
        foreach (var constructor in type.GetConstructors(Declared).Where(IsVisible))
        {
            yield return $"{name}.new({Parameters(constructor)})";
        }
        foreach (var property in type.GetProperties(Declared).Where(property => (property.GetMethod ?? property.SetMethod) is { } accessor && IsVisible(accessor)))
        {
            var set = property.SetMethod is { } setter && IsVisible(setter)
                ? setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;"
                : string.Empty;
            yield return $"{Static(property.GetMethod!)}{Name(Nullability.Create(property))} {name}.{property.Name} {{ get;{set} }}";
        }
        foreach (var method in type.GetMethods(Declared).Where(method => IsVisible(method) && !method.IsSpecialName))
        {
            var generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : string.Empty;
            yield return $"{Static(method)}{Name(Nullability.Create(method.ReturnParameter))} {name}.{method.Name}{generics}({Parameters(method)}){Constraints(method.IsGenericMethod ? method.GetGenericArguments() : [])}";
        }
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Kind(Type type) => type switch
    {
        { IsInterface: true } => "interface",
        { IsEnum: true } => "enum",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Static(MethodBase method) => method.IsStatic ? "static " : method.IsFamily ? "protected " : string.Empty;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select((parameter, index) =>
        (index == 0 && method.IsDefined(typeof(ExtensionAttribute)) ? "this " : string.Empty)
        + (parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : string.Empty)
        + $"{Name(Nullability.Create(parameter))} {parameter.Name}"
        + (parameter.HasDefaultValue ? $" = {Literal(parameter)}" : string.Empty)));

    private static string Literal(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        null => parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null",
        bool value => value ? "true" : "false",
        string value => $"\"{value}\"",
        Enum value => $"{value.GetType().Name}.{value}",
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Constraints(Type[] arguments) => string.Concat(arguments.Select(argument =>
    {
        var needs = argument.GetGenericParameterConstraints().Select(Name).ToList();
        if (argument.GenericParameterAttributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint))
        {
            needs.Add("new()");
        }
        return needs.Count == 0 ? string.Empty : $" where {argument.Name} : {string.Join(", ", needs)}";
    }));

    private static string FullName(Type type) => $"{type.Namespace}.{Name(type)}";

    private static string Name(NullabilityInfo info)
    {
        var suffix = info.ReadState == NullabilityState.Nullable && !info.Type.IsValueType ? "?" : string.Empty;
        if (info.Type.IsGenericType && Nullable.GetUnderlyingType(info.Type) is null)
        {
            return $"{info.Type.Name.Split('`')[0]}<{string.Join(", ", info.GenericTypeArguments.Select(Name))}>{suffix}";
        }
        return (info.ElementType is { } element ? Name(element) + "[]" : Name(info.Type)) + suffix;
    }

    private static string Name(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return $"{Name(value)}?";
        }
        if (type.IsGenericType)
        {
            return $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(argument =>
                (argument.IsGenericParameter && argument.GenericParameterAttributes.HasFlag(GenericParameterAttributes.Covariant) ? "out " : string.Empty) + Name(argument)))}>";
        }
        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => "string",
            TypeCode.Boolean => "bool",
            TypeCode.Int32 when !type.IsEnum => "int",
            _ => type == typeof(void) ? "void" : type == typeof(object) ? "object" : type.IsArray ? $"{Name(type.GetElementType()!)}[]" : type.Name,
        };
    }
}
