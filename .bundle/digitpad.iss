; Installer for Windows, made by Inno Setup from the bundle in dist\digitpad:  iscc /DVersion=1.0 .bundle\digitpad.iss
#ifndef Version
  #define Version "0"
#endif

[Setup]
AppName=digitpad
AppVersion={#Version}
DefaultDirName={autopf}\digitpad
DefaultGroupName=digitpad
PrivilegesRequired=lowest
SourceDir=..
OutputDir=dist
OutputBaseFilename=digitpad-{#Version}-windows-setup
SetupIconFile=build\bundle\digitpad.ico
UninstallDisplayIcon={app}\digitpad-window.exe
ChangesAssociations=yes

[Files]
Source: "dist\digitpad\*"; DestDir: "{app}"; Flags: recursesubdirs

[Icons]
Name: "{group}\digitpad"; Filename: "{app}\digitpad-window.exe"

[Registry]
; Offers digitpad for .npz files, without taking them from another program.
Root: HKA; Subkey: "Software\Classes\.npz\OpenWithProgids"; ValueType: string; ValueName: "digitpad.network"; ValueData: ""; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\digitpad.network"; ValueType: string; ValueData: "Neural network"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\digitpad.network\DefaultIcon"; ValueType: string; ValueData: "{app}\digitpad-window.exe,0"
Root: HKA; Subkey: "Software\Classes\digitpad.network\shell\open\command"; ValueType: string; ValueData: """{app}\digitpad-window.exe"" ""%1"""
